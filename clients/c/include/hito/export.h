/* What is exported, and what C++ needs to hear. */
#pragma once

/* Generated code reads and writes deprecated fields without a warning for each. */
#ifndef PROTOBUF_C__NO_DEPRECATED
#define PROTOBUF_C__NO_DEPRECATED
#endif

#if defined(__GNUC__)
#define HITO_API __attribute__((visibility("default")))
#else
#define HITO_API
#endif

#ifdef __cplusplus
#define HITO_BEGIN_DECLS extern "C" {
#define HITO_END_DECLS }
#else
#define HITO_BEGIN_DECLS
#define HITO_END_DECLS
#endif
