package org.pluribus.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pluribus.vmm.control.ConfigException;
import org.pluribus.vmm.control.NodeReport;
import org.pluribus.vmm.node.HotPages;

class HotPagesFileTest {
  private static final String SYSTEM_MAP =
      """
      0000000000000000 D __per_cpu_start
      ffffffff81000000 T _text
      ffffffff82400f80 D init_task
      ffffffff82402000 D jiffies
      ffffffff82402040 D jiffies_lock
      ffffffff82402080 d tick_next_period
      ffffffff824020c0 D a
      ffffffff824020c8 D b
      ffffffffa0001000 t module_code [m]
      """;

  @TempDir Path folder;

  private KernelSymbols symbols() throws Exception {
    return KernelSymbols.read(Files.writeString(folder.resolve("System.map"), SYSTEM_MAP));
  }

  @Test
  void namesWhatIsOnAPage() throws Exception {
    KernelSymbols symbols = symbols();
    assertThat(symbols.onPage(0x1000000)).isEqualTo("_text");
    assertThat(symbols.onPage(0x2401000)).isEqualTo("init_task+0x80");
    assertThat(symbols.onPage(0x2402000))
        .isEqualTo("jiffies, jiffies_lock, tick_next_period, a, 1 more");
    assertThat(symbols.onPage(0x40000000)).isEqualTo("-");
    assertThat(symbols.onPage(0)).isEqualTo("-");
    assertThat(KernelSymbols.none().onPage(0x1000000)).isEqualTo("-");
  }

  @Test
  void refusesAFileWithoutSymbols() throws Exception {
    Path zeros = Files.writeString(folder.resolve("kallsyms"), "0000000000000000 T _text\n\n\0x\n");
    assertThatThrownBy(() -> KernelSymbols.read(zeros))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("no address of a kernel's image");
    assertThatThrownBy(() -> KernelSymbols.read(folder.resolve("absent")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("there is no such file");
  }

  @Test
  void addsUpWhatNodesSayOfAPage() throws Exception {
    NodeReport first =
        node(
            0,
            new HotPages.Hot(0x2402000, 0, 30, 30 * 4096, List.of(0, 30)),
            new HotPages.Hot(0x5000, 0, 40, 40 * 4096, List.of(0, 40)));
    NodeReport second = node(1, new HotPages.Hot(0x2402000, 1, 31, 31 * 4096, List.of(31, 0)));
    List<String> lines = HotPagesFile.table(List.of(first, second), symbols()).lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(1).split(" +"))
        .startsWith("0000000002402000", "61", "249856", "0>1:31", "1>0:30", "jiffies,");
    assertThat(lines.get(2).split(" +"))
        .containsExactly("0000000000005000", "40", "163840", "1>0:40", "-");
  }

  private static NodeReport node(int id, HotPages.Hot... hot) {
    return new NodeReport(
        id,
        "emulator",
        1,
        0,
        0,
        new NodeReport.Faults(0, 0, 0),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        new NodeReport.Mirror(null, 0, 0, 0, 0, 0),
        new NodeReport.Latency(0, 0, 0, 0, 0),
        List.of(hot),
        null,
        Map.of());
  }
}
