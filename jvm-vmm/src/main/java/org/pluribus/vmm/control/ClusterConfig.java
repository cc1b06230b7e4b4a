package org.pluribus.vmm.control;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.pluribus.coherence.DeltaMode;
import org.pluribus.hw.HostProfile;
import org.pluribus.hw.host.KvmFitness;
import org.pluribus.posix.PosixException;
import org.pluribus.transport.NodeIdentity;
import org.pluribus.transport.VmKey;
import org.pluribus.vmm.acpi.VcpuPlacement;
import org.pluribus.vmm.emulator.CpuFeature;
import org.pluribus.vmm.emulator.CpuModel;
import org.pluribus.vmm.emulator.CpuidConfig;
import org.pluribus.vmm.memory.GuestRamLayout;
import org.pluribus.vmm.node.EmulatedVm;
import org.pluribus.vmm.node.KvmCpuModel;
import org.pluribus.vmm.node.KvmVm;
import org.pluribus.vmm.node.UnfitHostException;
import org.pluribus.vmm.time.GuestClock;

/**
 * One machine over several nodes, as the cluster file tells it (YAML; the same file on every node).
 *
 * @param key the VM's secret, 64 hexadecimal digits
 * @param memory guest RAM, as a size with unit: {@code 512M}
 * @param transport {@code aeron}, {@code rdma} when the nodes' addresses are those of RDMA devices,
 *     {@code auto} when the nodes find out which, or {@code loopback} when all nodes are in one
 *     process
 * @param kernel kernel image, read on node 0
 * @param initrd initial RAM disk, read on node 0, or null
 * @param append kernel command line
 * @param tscHz frequency of the guest's TSC, or null for 1 GHz; nodes under KVM whose host cannot
 *     scale its counter need their host's
 * @param withoutCpuFeatures CPU features, as Linux names them, that the machine does not promise
 *     because a host lacks them; or null for none
 * @param cpuModel which processor the machine's CPUs say they are, as {@link CpuModel#text()}, if
 *     all nodes are under KVM; or null for one that executes in order
 * @param faultTimes whether each node keeps times of its latest page faults for its report; null
 *     for not
 * @param deltas whether nodes send only what has changed of a page where they can, as {@link
 *     DeltaMode#word()}; null for on
 * @param nodes the nodes, ids 0 to n - 1 in any order
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ClusterConfig(
    String key,
    String memory,
    String transport,
    String kernel,
    @Nullable String initrd,
    @Nullable String append,
    @Nullable Long tscHz,
    @Nullable List<String> withoutCpuFeatures,
    @Nullable String cpuModel,
    @Nullable Boolean faultTimes,
    @Nullable String deltas,
    List<Node> nodes) {

  /** System property: name or path of a {@link HostProfile}. */
  public static final String PROFILE = "pluribus.profile";

  /** Aeron UDP between processes. */
  public static final String AERON = "aeron";

  /** RDMA verbs between processes. */
  public static final String RDMA = "rdma";

  /** RDMA if it works between all nodes, else Aeron; for nodes of a cluster file. */
  public static final String AUTO = "auto";

  /** All nodes in one process. */
  public static final String LOOPBACK = "loopback";

  /** Most vCPUs: more than Linux of any distribution is built for makes no sense. */
  public static final int MAX_VCPUS = 1024;

  /**
   * One node.
   *
   * @param id from 0
   * @param host address its peers reach it at
   * @param port UDP port
   * @param cpus vCPUs it runs; 0 for a node that only gives memory
   * @param vmi what runs its vCPUs, {@link EmulatedVm#NAME} or {@link KvmVm#NAME}; null for the
   *     former
   * @param mirrorBudget how much of guest RAM it may hold at a time, as a size with unit; {@link
   *     MirrorSize#AUTO} or null for what its host can spare
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Node(
      int id,
      String host,
      int port,
      int cpus,
      @Nullable String vmi,
      @Nullable String mirrorBudget) {

    /** A node that holds what its host can spare. */
    public Node(int id, String host, int port, int cpus, @Nullable String vmi) {
      this(id, host, port, cpus, vmi, null);
    }

    /** A node on the emulator. */
    public Node(int id, String host, int port, int cpus) {
      this(id, host, port, cpus, null, null);
    }

    /** Whether its vCPUs run under KVM. */
    boolean underKvm() {
      return KvmVm.NAME.equals(vmi);
    }
  }

  /** A machine whose CPUs are the standard ones. */
  public ClusterConfig(
      String key,
      String memory,
      String transport,
      String kernel,
      @Nullable String initrd,
      @Nullable String append,
      List<Node> nodes) {
    this(key, memory, transport, kernel, initrd, append, null, null, null, null, null, nodes);
  }

  /**
   * Reads and checks a cluster file.
   *
   * @throws ConfigException one line that says what is wrong and how to mend it
   */
  public static ClusterConfig read(Path file) throws ConfigException {
    return ClusterFile.read(file);
  }

  /** The YAML form. */
  public String toYaml() {
    return ClusterFile.YAML.writeValueAsString(this);
  }

  /** Throws {@link ConfigException} when something makes no sense. */
  public void check() throws ConfigException {
    if (nodes == null || nodes.isEmpty()) {
      throw new ConfigException("the cluster has no nodes; list at least one under 'nodes'");
    }
    if (nodes.size() > NodeIdentity.MAX_NODES) {
      throw new ConfigException(
          nodes.size()
              + " nodes are too many; at most "
              + NodeIdentity.MAX_NODES
              + " are possible");
    }
    Set<Integer> ids = new HashSet<>();
    for (Node n : nodes) {
      if (n.id() < 0 || n.id() >= nodes.size()) {
        throw new ConfigException(
            "node id " + n.id() + " is out of range; number the nodes 0 to " + (nodes.size() - 1));
      }
      if (!ids.add(n.id())) {
        throw new ConfigException("node id " + n.id() + " is there twice; give each its own");
      }
      if (n.cpus() < 0) {
        throw new ConfigException("node " + n.id() + " has " + n.cpus() + " CPUs; give 0 or more");
      }
    }
    checkCpus();
    long vcpus = nodes.stream().mapToLong(Node::cpus).sum();
    if (vcpus > MAX_VCPUS) {
      throw new ConfigException(
          vcpus + " CPUs are too many; at most " + MAX_VCPUS + " are possible");
    }
    if (node(0).cpus() == 0) {
      throw new ConfigException("node 0 has no CPU; it runs the boot CPU, give it at least 1");
    }
    if (!List.of(AERON, RDMA, AUTO, LOOPBACK).contains(String.valueOf(transport))) {
      throw new ConfigException(
          "transport '" + transport + "' is unknown; give aeron, rdma or auto");
    }
    if (deltas != null && DeltaMode.ofWord(deltas) == null) {
      throw new ConfigException("deltas '" + deltas + "' is unknown; give off, on or auto");
    }
    if (kernel == null || kernel.isBlank()) {
      throw new ConfigException("no kernel is given; name a kernel image");
    }
    try {
      VmKey.ofHex(key == null ? "" : key);
      layout();
      model();
      HostProfile.load(profileName());
      MirrorSize.check(this);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(String.valueOf(e.getMessage()));
    }
  }

  private void checkCpus() throws ConfigException {
    for (Node n : nodes) {
      if (n.vmi() != null && !n.vmi().equals(EmulatedVm.NAME) && !n.underKvm()) {
        throw new ConfigException(
            "node " + n.id() + " has the vmi '" + n.vmi() + "'; give kvm or emulator");
      }
    }
    if (guestTscHz() < CpuidConfig.MIN_TSC_HZ || guestTscHz() > CpuidConfig.MAX_TSC_HZ) {
      throw new ConfigException(
          "tscHz %d makes no sense; give %d to %d"
              .formatted(guestTscHz(), CpuidConfig.MIN_TSC_HZ, CpuidConfig.MAX_TSC_HZ));
    }
    if (cpuModel != null && !nodes.stream().allMatch(Node::underKvm)) {
      throw new ConfigException(
          "cpuModel is for machines all of whose nodes have vmi: kvm; leave it out");
    }
    for (String flag : withoutCpuFeatures == null ? List.<String>of() : withoutCpuFeatures) {
      if (CpuFeature.ofFlag(flag) == null) {
        throw new ConfigException(
            "withoutCpuFeatures names '%s', which is none that a machine can do without; leave it out"
                .formatted(flag));
      }
    }
  }

  /** Frequency of the guest's TSC. */
  public long guestTscHz() {
    return tscHz == null ? GuestClock.STANDARD_TSC_HZ : tscHz;
  }

  /** What the machine's CPUs do not promise. */
  public Set<CpuFeature> withoutFeatures() {
    Set<CpuFeature> without = EnumSet.noneOf(CpuFeature.class);
    for (String flag : withoutCpuFeatures == null ? List.<String>of() : withoutCpuFeatures) {
      CpuFeature f = CpuFeature.ofFlag(flag);
      if (f != null) {
        without.add(f);
      }
    }
    return without;
  }

  /**
   * The same machine with the CPUs that this host can give, if it runs any of them under KVM.
   *
   * @throws UnfitHostException when there is no usable KVM or userfaultfd here: said once, before
   *     any node says it for itself
   */
  ClusterConfig fittedToThisHost() {
    return fitted(nodes.stream().anyMatch(Node::underKvm));
  }

  /**
   * The same machine, for a node of several hosts: what the file leaves open about the CPUs of a
   * machine that is all under KVM is what this host can give. The others must come to the same,
   * else the nodes refuse each other.
   *
   * @throws UnfitHostException when there is no usable KVM or userfaultfd here
   */
  public ClusterConfig completedByThisHost() {
    return fitted(nodes.stream().allMatch(Node::underKvm));
  }

  private ClusterConfig fitted(boolean any) {
    if (!any) {
      return this;
    }
    List<String> lacking = KvmVm.lackingHere().stream().map(CpuFeature::flag).toList();
    try {
      KvmFitness.requireFaultHandling();
    } catch (PosixException | UnsupportedOperationException e) {
      throw new UnfitHostException(e);
    }
    return new ClusterConfig(
        key,
        memory,
        transport,
        kernel,
        initrd,
        append,
        tscHz == null ? KvmVm.tscHzHere() : tscHz,
        withoutCpuFeatures == null ? lacking : withoutCpuFeatures,
        cpuModel == null ? modelOfThisHost() : cpuModel,
        faultTimes,
        deltas,
        nodes);
  }

  /** Only machines without emulated CPUs can look like a host. */
  private @Nullable String modelOfThisHost() {
    CpuModel here = nodes.stream().allMatch(Node::underKvm) ? KvmCpuModel.here() : null;
    return here == null ? null : here.text();
  }

  /** Which processor the machine's CPUs say they are. */
  public CpuModel model() {
    return cpuModel == null ? CpuModel.IN_ORDER : CpuModel.parse(cpuModel);
  }

  /** The same machine with another transport. */
  ClusterConfig withTransport(String other) {
    return new ClusterConfig(
        key,
        memory,
        other,
        kernel,
        initrd,
        append,
        tscHz,
        withoutCpuFeatures,
        cpuModel,
        faultTimes,
        deltas,
        nodes);
  }

  /** The same machine with its nodes elsewhere. */
  ClusterConfig withNodes(List<Node> others) {
    return new ClusterConfig(
        key,
        memory,
        transport,
        kernel,
        initrd,
        append,
        tscHz,
        withoutCpuFeatures,
        cpuModel,
        faultTimes,
        deltas,
        others);
  }

  /** The same machine with nodes that keep times of their page faults. */
  public ClusterConfig withFaultTimes() {
    return new ClusterConfig(
        key,
        memory,
        transport,
        kernel,
        initrd,
        append,
        tscHz,
        withoutCpuFeatures,
        cpuModel,
        true,
        deltas,
        nodes);
  }

  /** The same machine with nodes that send only what has changed of a page, or don't. */
  public ClusterConfig withDeltas(DeltaMode mode) {
    return new ClusterConfig(
        key,
        memory,
        transport,
        kernel,
        initrd,
        append,
        tscHz,
        withoutCpuFeatures,
        cpuModel,
        faultTimes,
        mode == DeltaMode.ON ? null : mode.word(),
        nodes);
  }

  /** Whether nodes send only what has changed of a page. */
  public DeltaMode deltaMode() {
    DeltaMode mode = deltas == null ? null : DeltaMode.ofWord(deltas);
    return mode == null ? DeltaMode.ON : mode;
  }

  /** Whether nodes keep times of their page faults. */
  boolean keepsFaultTimes() {
    return faultTimes != null && faultTimes;
  }

  /** The node with this id. */
  public Node node(int id) {
    for (Node n : nodes) {
      if (n.id() == id) {
        return n;
      }
    }
    throw new IllegalArgumentException("no node " + id);
  }

  /** vCPUs of all nodes. */
  public int vcpuCount() {
    return nodes.stream().mapToInt(Node::cpus).sum();
  }

  /** RAM and its homes. */
  public GuestRamLayout layout() {
    return GuestRamLayout.of(parseSize(memory == null ? "" : memory), nodes.size());
  }

  /**
   * The tuning profile: what system property {@value #PROFILE} names, else one by whether all nodes
   * are on one host.
   */
  public String profileName() {
    boolean oneHost = nodes.stream().map(Node::host).distinct().count() == 1;
    return System.getProperty(PROFILE, oneHost ? "single-host" : "ethernet");
  }

  /** Bits of an APIC id that number a node's vCPUs; the bits above are the node. */
  public int apicIdBits() {
    int most = nodes.stream().mapToInt(Node::cpus).max().orElse(1);
    return 32 - Integer.numberOfLeadingZeros(Math.max(1, most) - 1);
  }

  /**
   * Bits of an APIC id below the package number. A package holds all nodes, or eight of them: more
   * do not fit in what AMD's CPUs tell of it.
   */
  public int packageBits() {
    int nodeBits = 32 - Integer.numberOfLeadingZeros(nodes.size() - 1);
    return apicIdBits() + Math.min(nodeBits, CpuidConfig.NODE_BITS);
  }

  /** All vCPUs: node 0's first, then node 1's, ... */
  public List<VcpuPlacement> vcpus() {
    List<VcpuPlacement> all = new ArrayList<>();
    for (int id = 0; id < nodes.size(); id++) {
      for (int c = 0; c < node(id).cpus(); c++) {
        all.add(new VcpuPlacement(id << apicIdBits() | c, id));
      }
    }
    return all;
  }

  /** What all nodes must agree on, in one number (FNV-1a over the YAML form). */
  public long hash() {
    long h = 0xcbf29ce484222325L;
    for (byte b : toYaml().getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      h = (h ^ (b & 0xFF)) * 0x100000001b3L;
    }
    return h;
  }

  /**
   * Parses a size: a number with an optional unit K, M, G or T (powers of 1024).
   *
   * @throws IllegalArgumentException one line for the user
   */
  public static long parseSize(String text) {
    String t = text.trim().toUpperCase(Locale.ROOT);
    int unit = t.isEmpty() ? -1 : "KMGT".indexOf(t.charAt(t.length() - 1));
    String digits = unit < 0 ? t : t.substring(0, t.length() - 1);
    try {
      long n = Long.parseLong(digits);
      long size = Math.multiplyExact(n, unit < 0 ? 1 : 1L << 10 * (unit + 1));
      if (n > 0) {
        return size;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // told below
    }
    throw new IllegalArgumentException(
        "'" + text + "' is no size; give a number with K, M, G or T, such as 512M");
  }
}
