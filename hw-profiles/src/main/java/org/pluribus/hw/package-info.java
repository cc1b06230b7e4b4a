/** See docs. */
package org.pluribus.hw;
