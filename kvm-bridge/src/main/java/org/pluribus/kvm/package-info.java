@NullMarked
package org.pluribus.kvm;

import org.jspecify.annotations.NullMarked;
