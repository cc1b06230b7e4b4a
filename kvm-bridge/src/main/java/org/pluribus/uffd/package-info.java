@NullMarked
package org.pluribus.uffd;

import org.jspecify.annotations.NullMarked;
