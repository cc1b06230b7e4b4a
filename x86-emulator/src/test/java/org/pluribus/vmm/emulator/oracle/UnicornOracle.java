package org.pluribus.vmm.emulator.oracle;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The child process behind {@link OracleProcess#unicorn}: runs batches until its input ends. */
final class UnicornOracle {
  private final UnicornLibrary library = new UnicornLibrary();
  private Unicorn unicorn = new Unicorn(library);

  private UnicornOracle() {}

  /** Argument: the file of images. */
  public static void main(String[] arguments) throws IOException {
    MemorySegment images = OracleProcess.mapImages(Path.of(arguments[0]), Arena.global());
    DataInputStream requests = new DataInputStream(System.in);
    DataOutputStream replies = new DataOutputStream(System.out);
    UnicornOracle oracle = new UnicornOracle();
    while (true) {
      int count;
      try {
        count = requests.readInt();
      } catch (EOFException e) {
        return;
      }
      for (int i = 0; i < Integer.reverseBytes(count); i++) {
        oracle.run(image(images, i), image(images, OracleProcess.ROOM + i));
      }
      replies.writeInt(count);
      replies.flush();
    }
  }

  private static MachineImage image(MemorySegment images, int number) {
    return new MachineImage(images.asSlice((long) number * MachineImage.BYTES));
  }

  private void run(MachineImage in, MachineImage result) {
    if (unicorn.worn()) {
      unicorn.close();
      unicorn = new Unicorn(library);
    }
    unicorn.run(in, result);
  }
}
