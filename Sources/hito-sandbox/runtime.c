/* The launcher is linked without shared libraries: it is executed twice for each job, and inside the sandbox
   only /usr is there. SwiftPM links every program with the object that tells Swift's runtime of Swift code;
   there is none here, so that these two are all that is needed of that runtime. */
int swift_addNewDSOImage(const void *image) {
  (void)image;
  return 0;
}

int _swift_backtrace_isThunkFunction(const char *name) {
  (void)name;
  return 0;
}
