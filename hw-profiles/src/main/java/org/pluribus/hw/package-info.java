/**
 * Profiles: how patient a node's threads are, and how often they look at the network, tuned for a
 * kind of host. A {@link org.pluribus.hw.HostProfile} is a YAML file; {@code single-host} and
 * {@code ethernet} come with the product, others may be given by path.
 */
@NullMarked
package org.pluribus.hw;

import org.jspecify.annotations.NullMarked;
