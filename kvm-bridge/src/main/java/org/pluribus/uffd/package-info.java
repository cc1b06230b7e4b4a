/**
 * Page faults handled in user space: {@code userfaultfd(2)} through the Foreign Function and Memory
 * API.
 *
 * <p>The use made of it here: guest RAM is one {@linkplain org.pluribus.posix.Memfd memory file}
 * mapped twice. Mapping A is what KVM gives the guest; it is guarded. Mapping B is ours; it sees
 * all bytes at any time. What the guest may do with a page is decided by how A maps it:
 *
 * <table>
 * <caption>Rights and the calls that change them</caption>
 * <tr><th>From, to</th><th>Call</th></tr>
 * <tr><td>nothing to read-only</td><td>bytes complete in B, then {@link
 *     org.pluribus.uffd.UserfaultFd#continueRange} with MAP_WP</td></tr>
 * <tr><td>nothing to read and write</td><td>the same with mode 0</td></tr>
 * <tr><td>read-only to read and write</td><td>{@link
 *     org.pluribus.uffd.UserfaultFd#writeProtect} with mode 0</td></tr>
 * <tr><td>read and write to read-only</td><td>writeProtect with WP_PROTECT; once it is back, no more
 *     stores come</td></tr>
 * <tr><td>any to nothing</td><td>{@link org.pluribus.posix.Mapping#drop}; once it is back, no access
 *     comes, and B still has the bytes</td></tr>
 * </table>
 *
 * <p>A touch that A's mapping does not allow puts the toucher to sleep and makes an event:
 *
 * <pre>{@code
 * UserfaultFd uffd = UserfaultFd.open(EnumSet.of(MINOR_SHMEM, MISSING_SHMEM, WP_HUGETLBFS_SHMEM,
 *     PAGEFAULT_FLAG_WP));
 * uffd.register(a.address(), a.length(), REGISTER_MISSING | REGISTER_MINOR | REGISTER_WP);
 * epoll.add(uffd.fd(), Epoll.IN, 0);
 * UffdEvents events = new UffdEvents(64);
 * while (epoll.await(Epoll.FOREVER) >= 0) {
 *   int count = uffd.read(events);
 *   for (int i = 0; i < count; i++) {
 *     long page = events.address(i);
 *     int answer = events.isWriteProtect(i)
 *         ? uffd.writeProtect(page, 4096, 0)
 *         : uffd.continueRange(page, 4096, 0);
 *     // -EEXIST: somebody else resolved it meanwhile; uffd.wake(page, 4096) and go on
 *   }
 * }
 * }</pre>
 *
 * <h2>Rules</h2>
 *
 * <ul>
 *   <li>No Java thread may touch a guarded page; vCPUs and native threads may.
 *   <li>Register MISSING too: else a page that the file lacks is allocated silently.
 *   <li>An event may be stale (the right is there by now): wake.
 *   <li>Write protection of a page that is not mapped does nothing and answers 0.
 *   <li>Do not {@code mlock} a guarded mapping: the call waits for its own faults.
 *   <li>Closing the userfaultfd frees everybody who waits.
 * </ul>
 *
 * <p>The calls on pages answer 0 or minus errno and allocate nothing; everything else throws {@link
 * org.pluribus.posix.PosixException} with ioctl, errno and cure.
 */
@NullMarked
package org.pluribus.uffd;

import org.jspecify.annotations.NullMarked;
