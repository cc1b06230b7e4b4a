/**
 * The control plane: what a machine is made of ({@link org.pluribus.vmm.control.ClusterConfig}),
 * how one node of it is put together and lives ({@link org.pluribus.vmm.control.NodeRuntime}), and
 * what it says about itself at the end ({@link org.pluribus.vmm.control.NodeReport}).
 *
 * <p>A node's life: choose a transport with all peers, if the cluster file leaves it to them
 * ({@link org.pluribus.vmm.control.TransportChoice}); connect to all peers; say READY; START from
 * node 0 (which has loaded the kernel by then); run; STOP from whoever ends the machine; final
 * report to node 0; BYE.
 */
@NullMarked
package org.pluribus.vmm.control;

import org.jspecify.annotations.NullMarked;
