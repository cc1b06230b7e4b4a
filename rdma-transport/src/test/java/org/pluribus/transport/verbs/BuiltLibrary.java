package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * The library under test, and DiSNI's own way into it.
 *
 * <p>The class with the native methods goes by its name here: a test class that mentions it in a
 * field or method would bring it in before {@link VerbsLibrary#load} does.
 */
final class BuiltLibrary {
  static final String DISPATCHER = "com.ibm.disni.verbs.impl.NativeDispatcher";
  static final String AFFINITY = "com.ibm.disni.util.NativeAffinity";

  private static final Path HEADER = Path.of("/usr/include/rdma/rdma_cma.h");

  private BuiltLibrary() {}

  /** Skips the test where the library is not built; it must be where its headers are. */
  static Path file() {
    URL library = VerbsLibrary.class.getResource("libdisni.so");
    assertThat(library != null || !Files.exists(HEADER))
        .as("libdisni.so is built where the headers are")
        .isTrue();
    Assumptions.assumeTrue(library != null, "libdisni.so is not built: librdmacm-dev is missing");
    try {
      return Path.of(library.toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** DiSNI's object that has all native methods of verbs and connections. */
  static Object dispatcher() throws Exception {
    file();
    VerbsLibrary.load();
    Constructor<?> constructor = Class.forName(DISPATCHER).getDeclaredConstructor();
    constructor.setAccessible(true);
    return constructor.newInstance();
  }

  /** Those of a class, after the library is loaded. */
  static List<Method> nativeMethods(String className) throws Exception {
    VerbsLibrary.load();
    return Arrays.stream(Class.forName(className).getDeclaredMethods())
        .filter(method -> Modifier.isNative(method.getModifiers()))
        .sorted(Comparator.comparing(Method::getName))
        .toList();
  }

  /**
   * Calls a native method with these arguments, and null or 0 for the rest; throws what it throws.
   */
  static Object call(Object target, String name, long... arguments) throws Throwable {
    Method method =
        nativeMethods(DISPATCHER).stream()
            .filter(m -> m.getName().equals(name))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no native method " + name));
    method.setAccessible(true);
    Class<?>[] types = method.getParameterTypes();
    Object[] boxed = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      boxed[i] = box(types[i], i < arguments.length ? arguments[i] : 0);
    }
    try {
      return method.invoke(target, boxed);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static Object box(Class<?> type, long value) {
    return switch (type.getName()) {
      case "long" -> value;
      case "int" -> (int) value;
      case "short" -> (short) value;
      case "byte" -> (byte) value;
      default -> throw new AssertionError("a native method takes a " + type);
    };
  }
}
