package org.pluribus.vmm;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may import whom: the table in docs/architecture.md. */
@AnalyzeClasses(packages = "org.pluribus", importOptions = ModuleArrowsTest.Product.class)
class ModuleArrowsTest {
  /** What ships: no test classes, neither from folders nor from other modules' test-jars. */
  static final class Product implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule COHERENCE_IS_PURE =
      noClasses()
          .that()
          .resideInAPackage("org.pluribus.coherence..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.pluribus.transport..",
              "org.pluribus.posix..",
              "org.pluribus.vmm..",
              "org.agrona..",
              "org.slf4j..",
              "java.util.concurrent..",
              "java.net..",
              "java.nio.channels..");

  @ArchTest
  static final ArchRule KERNEL_BRIDGE_SEES_NOTHING_OF_OURS =
      noClasses()
          .that()
          .resideInAnyPackage("org.pluribus.kvm..", "org.pluribus.uffd..", "org.pluribus.posix..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.pluribus.transport..", "org.pluribus.coherence..", "org.pluribus.vmm..");

  @ArchTest
  static final ArchRule TRANSPORT_SEES_ONLY_COHERENCE =
      noClasses()
          .that()
          .resideInAPackage("org.pluribus.transport..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.pluribus.vmm..", "org.pluribus.posix..", "org.pluribus.kvm..");

  @ArchTest
  static final ArchRule EMULATOR_SEES_ONLY_THE_KERNEL_BRIDGE =
      noClasses()
          .that()
          .resideInAPackage("org.pluribus.vmm.emulator..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.pluribus.transport..",
              "org.pluribus.coherence..",
              "org.pluribus.vmm.node..",
              "org.pluribus.vmm.apic..",
              "org.pluribus.vmm.control..");

  @ArchTest
  static final ArchRule LINKER_ONLY_IN_KERNEL_BRIDGE =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "org.pluribus.kvm..", "org.pluribus.uffd..", "org.pluribus.posix..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.Linker");

  @ArchTest
  static final ArchRule AERON_ONLY_IN_UDP =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.pluribus.transport.udp..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.aeron..");

  @ArchTest
  static final ArchRule DISNI_ONLY_IN_VERBS =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.pluribus.transport.verbs..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.ibm.disni..")
          .allowEmptyShould(true);
}
