package org.pluribus.vmm.emulator.oracle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The functions of libunicorn 2; unicorn/unicorn.h of Debian's libunicorn-dev 2.0.1. */
final class UnicornLibrary {
  private static final String NAME = "libunicorn.so.2";
  private static final @Nullable SymbolLookup LOOKUP = lookup();

  final MethodHandle open = bind("uc_open", JAVA_INT, JAVA_INT, ADDRESS);
  final MethodHandle close = bind("uc_close", ADDRESS);
  final MethodHandle mapPointer =
      bind("uc_mem_map_ptr", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS);
  final MethodHandle registerRead = bind("uc_reg_read", ADDRESS, JAVA_INT, ADDRESS);
  final MethodHandle registerWrite = bind("uc_reg_write", ADDRESS, JAVA_INT, ADDRESS);
  final MethodHandle registersRead = bind("uc_reg_read_batch", ADDRESS, ADDRESS, ADDRESS, JAVA_INT);
  final MethodHandle registersWrite =
      bind("uc_reg_write_batch", ADDRESS, ADDRESS, ADDRESS, JAVA_INT);
  final MethodHandle start =
      bind("uc_emu_start", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  final MethodHandle stop = bind("uc_emu_stop", ADDRESS);
  final MethodHandle setCpuModel = variadic("uc_ctl", 2, ADDRESS, JAVA_INT, JAVA_INT);
  final MethodHandle removeCache = variadic("uc_ctl", 2, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG);
  final MethodHandle addHook =
      variadic(
          "uc_hook_add", 7, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);

  private static @Nullable SymbolLookup lookup() {
    try {
      return SymbolLookup.libraryLookup(NAME, Arena.global());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Why there is no libunicorn, or null if there is. */
  static @Nullable String unavailable() {
    return LOOKUP == null ? NAME + " is not installed (apt-get install libunicorn2)" : null;
  }

  private static MemorySegment symbol(String name) {
    if (LOOKUP == null) {
      throw new IllegalStateException(unavailable());
    }
    return LOOKUP.findOrThrow(name);
  }

  private static MethodHandle bind(String name, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static MethodHandle variadic(String name, int fixed, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(
            symbol(name),
            FunctionDescriptor.of(JAVA_INT, arguments),
            Linker.Option.firstVariadicArg(fixed));
  }
}
