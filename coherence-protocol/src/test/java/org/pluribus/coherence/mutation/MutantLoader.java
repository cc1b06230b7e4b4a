package org.pluribus.coherence.mutation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.CacheController;
import org.pluribus.coherence.sim.MutantProbe;

/**
 * Loads the protocol with a {@link Mutant} in it, and the explorer on top of it. It shares nothing
 * but the JDK with the rest of the virtual machine.
 */
final class MutantLoader extends URLClassLoader {
  private static final Path SOURCES = Path.of("src/main/java/org/pluribus/coherence");
  private static final String PACKAGE = "org.pluribus.coherence.";

  private final Map<String, byte[]> mutated;

  private MutantLoader(Map<String, byte[]> mutated) {
    super(
        new URL[] {location(CacheController.class), location(MutantProbe.class)},
        ClassLoader.getPlatformClassLoader());
    this.mutated = mutated;
  }

  /** What the explorer finds in a cluster with the bug: a violation with its trace, or nothing. */
  static String probe(Mutant mutant, Class<? extends Supplier<String>> type)
      throws IOException, ReflectiveOperationException {
    try (MutantLoader loader = new MutantLoader(compile(mutant))) {
      Object probe = loader.loadClass(type.getName()).getDeclaredConstructor().newInstance();
      return (String) ((Supplier<?>) probe).get();
    }
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    byte[] bytes = mutated.get(name);
    return bytes == null ? super.findClass(name) : defineClass(name, bytes, 0, bytes.length);
  }

  private static URL location(Class<?> type) {
    return type.getProtectionDomain().getCodeSource().getLocation();
  }

  // ---- Compiling

  private static Map<String, byte[]> compile(Mutant mutant) throws IOException {
    String source = mutant.applyTo(Files.readString(SOURCES.resolve(mutant.file() + ".java")));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (Outputs outputs = new Outputs(compiler.getStandardFileManager(null, null, null))) {
      List<String> options =
          List.of(
              "-proc:none",
              "-implicit:none",
              "-classpath",
              pathOf(CacheController.class) + ":" + pathOf(NullMarked.class));
      JavaFileObject file = new Source(PACKAGE + mutant.file(), source);
      if (!compiler.getTask(messages, outputs, null, options, null, List.of(file)).call()) {
        throw new IllegalStateException("mutant " + mutant + " does not compile:\n" + messages);
      }
      Map<String, byte[]> classes = new HashMap<>();
      outputs.written.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
      return classes;
    }
  }

  private static Path pathOf(Class<?> type) {
    return Path.of(URI.create(location(type).toString()));
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String className, String text) {
      super(
          URI.create("string:///" + className.replace('.', '/') + Kind.SOURCE.extension),
          Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  /** Keeps what the compiler writes. */
  private static final class Outputs extends ForwardingJavaFileManager<JavaFileManager> {
    final Map<String, ByteArrayOutputStream> written = new HashMap<>();

    Outputs(JavaFileManager manager) {
      super(manager);
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location,
        String className,
        JavaFileObject.Kind kind,
        @Nullable FileObject sibling) {
      return new SimpleJavaFileObject(URI.create("mem:///" + className.replace('.', '/')), kind) {
        @Override
        public OutputStream openOutputStream() {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          written.put(className, bytes);
          return bytes;
        }
      };
    }

    @Override
    public void close() {
      try {
        super.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
