/** See docs. */
package org.pluribus.transport;
