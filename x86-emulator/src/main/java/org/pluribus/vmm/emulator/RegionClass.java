package org.pluribus.vmm.emulator;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a region's method into a hidden class, a subclass of {@link CompiledCode} that the JVM
 * unloads once no block refers to it any more. The instructions it calls by their handlers come as
 * class data and stand in static final fields, which the JVM's compiler takes for constants.
 */
final class RegionClass {
  static final ClassDesc THIS = ClassDesc.of(RegionClass.class.getPackageName(), "RegionCode");
  static final ClassDesc SUPER = ClassDesc.of(CompiledCode.class.getName());
  static final ClassDesc INSN = ClassDesc.of(Insn.class.getName());
  static final ClassDesc HANDLER = ClassDesc.of(Handler.class.getName());
  static final MethodTypeDesc EXEC =
      MethodTypeDesc.of(ConstantDescs.CD_void, RegionFrame.CPU_CLASS, INSN);

  /** HotSpot never compiles a method with more bytecode (flag HugeMethodLimit). */
  static final int MAX_CODE_BYTES = 8000;

  private static final MethodTypeDesc RUN =
      MethodTypeDesc.of(ConstantDescs.CD_boolean, RegionFrame.CPU_CLASS);
  private static final MethodTypeDesc CONSTRUCTOR =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);
  private static final ClassDesc OBJECTS = ConstantDescs.CD_Object.arrayType();
  private static final ClassDesc METHOD_HANDLES = ClassDesc.of(MethodHandles.class.getName());
  private static final Lookup LOOKUP = MethodHandles.lookup();

  private RegionClass() {}

  static String handlerField(int n) {
    return "handler" + n;
  }

  static String insnField(int n) {
    return "insn" + n;
  }

  /**
   * Compiles a region.
   *
   * @return null when the method would be too long
   */
  static @Nullable CompiledRegion compile(Region region) throws ReflectiveOperationException {
    List<Insn> called = new ArrayList<>();
    byte[] bytes = ClassFile.of().build(THIS, c -> define(c, region, called));
    if (codeBytes(bytes) > MAX_CODE_BYTES) {
      return null;
    }
    Lookup defined =
        called.isEmpty()
            ? LOOKUP.defineHiddenClass(bytes, true)
            : LOOKUP.defineHiddenClassWithClassData(bytes, classData(called), true);
    var constructor =
        defined.findConstructor(
            defined.lookupClass(), java.lang.invoke.MethodType.methodType(void.class, int.class));
    try {
      CompiledCode[] entries = new CompiledCode[region.entries.size()];
      for (int e = 0; e < entries.length; e++) {
        entries[e] = (CompiledCode) constructor.invoke(e);
      }
      return new CompiledRegion(
          region, entries, (CompiledCode) constructor.invoke(CompiledCode.NO_ENTRY));
    } catch (Throwable t) {
      throw new IllegalStateException("a compiled region cannot be instantiated", t);
    }
  }

  private static Object[] classData(List<Insn> called) {
    Object[] data = new Object[2 * called.size()];
    for (int n = 0; n < called.size(); n++) {
      data[2 * n] = called.get(n).handler;
      data[2 * n + 1] = called.get(n);
    }
    return data;
  }

  private static void define(ClassBuilder c, Region region, List<Insn> called) {
    c.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER).withSuperclass(SUPER);
    c.withMethodBody(
        ConstantDescs.INIT_NAME,
        CONSTRUCTOR,
        0,
        b -> b.aload(0).iload(1).invokespecial(SUPER, "<init>", CONSTRUCTOR).return_());
    c.withMethodBody(
        "run",
        RUN,
        0,
        b -> {
          called.clear(); // the builder runs this again when jumps turn out to be long
          new RegionEmitter(region, b, called).emit();
        });
    if (called.isEmpty()) {
      return;
    }
    int flags = ClassFile.ACC_STATIC | ClassFile.ACC_FINAL | ClassFile.ACC_PRIVATE;
    for (int n = 0; n < called.size(); n++) {
      c.withField(handlerField(n), HANDLER, flags);
      c.withField(insnField(n), INSN, flags);
    }
    c.withMethodBody(
        ConstantDescs.CLASS_INIT_NAME,
        ConstantDescs.MTD_void,
        ClassFile.ACC_STATIC,
        b -> fillFields(b, called.size()));
  }

  private static void fillFields(CodeBuilder b, int count) {
    b.invokestatic(
        METHOD_HANDLES, "lookup", MethodTypeDesc.of(ConstantDescs.CD_MethodHandles_Lookup));
    b.ldc(ConstantDescs.DEFAULT_NAME).ldc(OBJECTS);
    b.invokestatic(
        METHOD_HANDLES,
        "classData",
        MethodTypeDesc.ofDescriptor(
            "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/Class;)"
                + "Ljava/lang/Object;"));
    b.checkcast(OBJECTS).astore(0);
    for (int n = 0; n < count; n++) {
      b.aload(0).loadConstant(2 * n).aaload().checkcast(HANDLER);
      b.putstatic(THIS, handlerField(n), HANDLER);
      b.aload(0).loadConstant(2 * n + 1).aaload().checkcast(INSN);
      b.putstatic(THIS, insnField(n), INSN);
    }
    b.return_();
  }

  private static int codeBytes(byte[] classFile) {
    for (MethodModel m : ClassFile.of().parse(classFile).methods()) {
      if (m.methodName().equalsString("run")) {
        return m.findAttribute(Attributes.code()).orElseThrow().codeLength();
      }
    }
    throw new IllegalStateException("a compiled region without its method");
  }
}
