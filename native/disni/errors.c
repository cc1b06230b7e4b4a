/* How failures become Java exceptions. All of it is off the hot path. */
#define _GNU_SOURCE /* strerrorname_np, strerrordesc_np: they need no buffer and no lock */
#include "disni.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 320

/* Throws, unless an exception is there already: the first one tells more. */
static void throw_new(JNIEnv *env, const char *class_name, const char *message) {
  if ((*env)->ExceptionCheck(env)) return;
  jclass class = (*env)->FindClass(env, class_name);
  if (class == NULL) return; /* the JVM has thrown instead, for want of memory */
  (*env)->ThrowNew(env, class, message);
  (*env)->DeleteLocalRef(env, class);
}

void throw_failed(JNIEnv *env, const char *verb, int error, const char *detail) {
  char message[MESSAGE_BYTES];
  const char *name = strerrorname_np(error);
  const char *text = strerrordesc_np(error);
  snprintf(message, sizeof message, "%s failed: %s (%s, errno %d)%s%s", verb, text == NULL ? "unknown error" : text,
           name == NULL ? "?" : name, error, detail == NULL ? "" : "; ", detail == NULL ? "" : detail);
  throw_new(env, "java/io/IOException", message);
}

void throw_null(JNIEnv *env, const char *verb, const char *what) {
  char message[MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s: the %s is null", verb, what);
  throw_new(env, "java/lang/NullPointerException", message);
}

void throw_out_of_range(JNIEnv *env, const char *verb, const char *what, jlong value, jlong min, jlong max) {
  char message[MESSAGE_BYTES];
  snprintf(message, sizeof message, "%s: the %s is %lld, not from %lld to %lld", verb, what, (long long)value,
           (long long)min, (long long)max);
  throw_new(env, "java/lang/IllegalArgumentException", message);
}
