/**
 * Nodes of one process: lanes are ring buffers in memory. For tests, and for clusters that live in
 * one JVM. The frames are those of every other back end, so codecs and checks are in play here too.
 */
@org.jspecify.annotations.NullMarked
package org.pluribus.transport.loopback;
