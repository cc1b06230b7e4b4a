package org.pluribus.transport.verbs;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;

/**
 * A class that asks for its native library in its static initialiser, brought in without that
 * request, for a library that is loaded already.
 *
 * <p>{@code System.loadLibrary} looks only into the folders that the JVM was given when it started.
 * A library that comes out of a jar is in none of them: the class would not initialise, though all
 * of its native methods are there.
 */
final class PreloadedClass {
  private PreloadedClass() {}

  /**
   * Defines the class.
   *
   * @param neighbour a class of the same package, whose class loader is taken
   * @param simpleName name of the class, which nobody may have used before
   * @throws IOException if its bytes are not to be had
   * @throws IllegalStateException if it is there already, with the request
   */
  static void define(Class<?> neighbour, String simpleName) throws IOException {
    byte[] bytes;
    try (InputStream original = neighbour.getResourceAsStream(simpleName + ".class")) {
      if (original == null) {
        throw new FileNotFoundException(neighbour.getPackageName() + "." + simpleName);
      }
      bytes = withoutRequest(original.readAllBytes());
    }
    try {
      MethodHandles.privateLookupIn(neighbour, MethodHandles.lookup()).defineClass(bytes);
    } catch (LinkageError e) {
      throw new IllegalStateException(simpleName + " was used before its library was loaded", e);
    } catch (IllegalAccessException e) {
      throw new IOException(neighbour.getPackageName() + " is closed to us", e);
    }
  }

  private static byte[] withoutRequest(byte[] bytes) {
    ClassFile files = ClassFile.of();
    CodeTransform leaveOut =
        (code, element) -> {
          if (isRequest(element)) {
            code.pop(); // the library's name
          } else {
            code.with(element);
          }
        };
    return files.transformClass(
        files.parse(bytes),
        ClassTransform.transformingMethodBodies(
            method -> method.methodName().equalsString(ConstantDescs.CLASS_INIT_NAME), leaveOut));
  }

  private static boolean isRequest(CodeElement element) {
    return element instanceof InvokeInstruction call
        && call.owner().name().equalsString("java/lang/System")
        && call.name().equalsString("loadLibrary");
  }
}
