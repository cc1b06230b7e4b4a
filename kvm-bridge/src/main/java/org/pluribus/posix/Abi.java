package org.pluribus.posix;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says which C expression a constant of ours must equal: a struct's size, a field's offset, a
 * number that a kernel header defines.
 *
 * <p>The tests collect every annotated field, have gcc evaluate the expressions against the
 * installed headers and compare. So a wrong layout fails the build rather than a machine.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface Abi {
  /** The C expression; empty if the field bears the C name itself. */
  String value() default "";

  /**
   * A macro that headers older than the feature do not define; where it is missing, the constant
   * cannot be checked and the test says so.
   */
  String guard() default "";

  /** The headers a class's expressions need, in the order of inclusion. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.TYPE)
  @interface Headers {
    String[] value();
  }
}
