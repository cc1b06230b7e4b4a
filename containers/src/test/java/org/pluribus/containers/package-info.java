/**
 * Clusters whose nodes are containers: each has an address of its own on a network of the Docker
 * engine, and that network can fail between any two of them. {@code ci/containers} starts the
 * engine, makes the nodes' image and the guest's disk, and runs {@link
 * org.pluribus.containers.LinkLossTest} and {@link org.pluribus.containers.KvmInContainerTest};
 * without it the tests are skipped.
 *
 * <p>{@link org.pluribus.containers.ContainerCluster} is the machine, {@link
 * org.pluribus.containers.NodeContainer} one node of it, {@link org.pluribus.containers.GuestSums}
 * what its guest has to print.
 */
@NullMarked
package org.pluribus.containers;

import org.jspecify.annotations.NullMarked;
