package org.pluribus.vmm.loader;

import java.io.IOException;
import java.nio.file.Path;
import org.pluribus.vmm.memory.GuestMemory;
import org.pluribus.vmm.memory.GuestRamLayout;

/** A kernel file whose format is known and whose header has been checked; ready to be loaded. */
public sealed interface KernelImage permits BzImageLoader, PvhLoader, MultibootLoader {

  /**
   * Looks into {@code file} and chooses the loader for it.
   *
   * @throws BadImageException if it is missing, empty, truncated or no kernel we can boot
   * @throws IOException if it can't be read
   */
  static KernelImage detect(Path file) throws BadImageException, IOException {
    ImageFile image = ImageFile.open(file, "kernel");
    if (BzImageLoader.recognises(image)) {
      return BzImageLoader.of(image);
    }
    if (PvhLoader.recognises(image)) {
      return PvhLoader.of(image);
    }
    if (MultibootLoader.recognises(image)) {
      return MultibootLoader.of(image);
    }
    throw ImageFile.notAKernel(image);
  }

  /** What the file is, for log lines, e.g. "Linux bzImage 6.1.0-13-cloud-amd64". */
  String describe();

  /**
   * Puts the kernel and what belongs to it into guest RAM.
   *
   * @return the registers the boot vCPU starts with
   * @throws BadImageException if kernel or initrd don't fit into RAM, or the command line is too
   *     long
   * @throws IOException if a file can't be read
   */
  EntryState load(GuestMemory memory, GuestRamLayout layout, BootOptions options)
      throws BadImageException, IOException;
}
