package org.pluribus.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares every layout constant, ioctl number, capability and errno of this module with what gcc
 * makes of the installed kernel headers.
 */
class AbiTest {
  /** One of our numbers and the C expression it must equal. */
  private record Row(String where, String expression, String guard, long ours) {}

  /** What Linux 6.2 to 6.8 added; absent from Debian 12's headers (6.1). */
  private static final Set<String> NEWER =
      Set.of(
          "offsetof(struct kvm_run, memory_fault.flags)",
          "offsetof(struct kvm_run, memory_fault.gpa)",
          "offsetof(struct kvm_run, memory_fault.size)",
          "KVM_EXIT_MEMORY_FAULT",
          "KVM_CAP_MEMORY_FAULT_INFO",
          "sizeof(struct uffdio_poison)",
          "offsetof(struct uffdio_poison, mode)",
          "UFFDIO_CONTINUE_MODE_WP",
          "UFFD_FEATURE_WP_UNPOPULATED",
          "UFFD_FEATURE_POISON",
          "UFFD_FEATURE_WP_ASYNC",
          "UFFD_FEATURE_MOVE",
          "UFFDIO_POISON");

  /** A folder with other kernel headers, to check against instead of the installed ones. */
  private static final String INCLUDE =
      System.getProperty("pluribus.kernelHeaders", "/usr/include");

  @Test
  void allNumbersAreThoseOfTheHeaders(@TempDir Path dir) throws Exception {
    Set<String> headers = new LinkedHashSet<>(List.of("stdio.h", "stddef.h", "errno.h"));
    List<Row> rows = new ArrayList<>();
    for (Class<?> type : classes()) {
      annotated(type, headers, rows);
      enums(type, rows);
    }
    rows.addAll(errnos());
    assertThat(rows).as("a scan that finds nothing proves nothing").hasSizeGreaterThan(350);

    List<String> theirs = evaluate(dir, headers, rows);
    assertThat(theirs).hasSameSizeAs(rows);
    List<String> wrong = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      if (theirs.get(i).equals("-")) {
        unknown.add(row.expression);
      } else if (Long.parseLong(theirs.get(i)) != row.ours) {
        wrong.add(
            "%s: ours %d, C %s = %s".formatted(row.where, row.ours, row.expression, theirs.get(i)));
      }
    }
    System.err.println(
        "AbiTest: %d numbers compared; these headers are too old for %s"
            .formatted(rows.size() - unknown.size(), unknown));
    assertThat(wrong).isEmpty();
    assertThat(NEWER).as("what these headers may lack").containsAll(unknown);
  }

  /** All classes of the module, nested ones too. */
  private static List<Class<?>> classes() throws Exception {
    Path root = Path.of(Abi.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Class<?>> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
        String name = root.relativize(file).toString().replace('/', '.');
        if (!name.endsWith("package-info.class")) {
          found.add(
              Class.forName(
                  name.substring(0, name.length() - ".class".length()),
                  false,
                  AbiTest.class.getClassLoader()));
        }
      }
    }
    return found;
  }

  private static void annotated(Class<?> type, Set<String> headers, List<Row> rows)
      throws IllegalAccessException {
    Abi.Headers needed = type.getAnnotation(Abi.Headers.class);
    if (needed != null) {
      headers.addAll(List.of(needed.value()));
    }
    for (Field field : type.getDeclaredFields()) {
      Abi abi = field.getAnnotation(Abi.class);
      if (abi != null) {
        assertThat(Modifier.isStatic(field.getModifiers())).as("%s is static", field).isTrue();
        field.setAccessible(true);
        String expression = abi.value().isEmpty() ? field.getName() : abi.value();
        long ours = ((Number) field.get(null)).longValue();
        rows.add(
            new Row(type.getSimpleName() + "." + field.getName(), expression, abi.guard(), ours));
      }
    }
  }

  /** Enums whose constants stand for C macros: a prefix, and the method that gives the number. */
  private static void enums(Class<?> type, List<Row> rows) throws ReflectiveOperationException {
    switch (type.getSimpleName()) {
      case "KvmIoctl", "UffdIoctl" -> constants(type, "", "request", rows);
      case "KvmCap" -> constants(type, "KVM_CAP_", "number", rows);
      case "MpState" -> constants(type, "KVM_MP_STATE_", "number", rows);
      case "UffdFeature" -> constants(type, "UFFD_FEATURE_", "mask", rows);
      case "Advice" -> constants(type, "MADV_", "value", rows);
      default -> {}
    }
  }

  private static void constants(Class<?> type, String prefix, String method, List<Row> rows)
      throws ReflectiveOperationException {
    var number = type.getDeclaredMethod(method);
    number.setAccessible(true);
    for (Object constant : type.getEnumConstants()) {
      String macro = prefix + ((Enum<?>) constant).name();
      long ours = ((Number) number.invoke(constant)).longValue();
      rows.add(new Row(type.getSimpleName(), macro, macro, ours));
    }
  }

  private static List<Row> errnos() throws IllegalAccessException {
    List<Row> rows = new ArrayList<>();
    for (Field field : Errno.class.getDeclaredFields()) {
      if (field.getType() == Errno.class) {
        Errno errno = (Errno) field.get(null);
        assertThat(errno.name()).isEqualTo(field.getName());
        assertThat(Errno.of(errno.number())).as("in the table").isSameAs(errno);
        rows.add(new Row("Errno", errno.name(), "", errno.number()));
      }
    }
    return rows;
  }

  /** Has C print each expression's value, or a dash where its guard is not defined. */
  private static List<String> evaluate(Path dir, Set<String> headers, List<Row> rows)
      throws IOException, InterruptedException {
    StringBuilder c = new StringBuilder("#define _GNU_SOURCE\n");
    headers.forEach(header -> c.append("#include <").append(header).append(">\n"));
    c.append("int main(void) {\n");
    for (Row row : rows) {
      String print = "printf(\"%%lld\\n\", (long long)(%s));\n".formatted(row.expression);
      c.append(
          row.guard.isEmpty()
              ? print
              : "#ifdef %s\n%s#else\nputs(\"-\");\n#endif\n".formatted(row.guard, print));
    }
    Path source = Files.writeString(dir.resolve("abi.c"), c.append("return 0; }\n"));
    Path program = dir.resolve("abi");
    run(List.of("gcc", "-w", "-I", INCLUDE, "-o", program.toString(), source.toString()));
    return run(List.of(program.toString())).lines().toList();
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
    assertThat(process.exitValue()).as("%s: %s", command, output).isZero();
    return output;
  }
}
