#pragma once
// What Documents needs of libxml2: the push parser of HTML and its table of entities.
#include <libxml/xmlversion.h>
// Debian's build names ICU's types in its headers; Foundation brings its own of the same names, and
// one program cannot import both.
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>

/// Where the parser is in the bytes that it was given and has not consumed: `*pending` points to
/// them, the result is their count.
static inline int hito_html_pending(htmlParserCtxtPtr context, const unsigned char **pending) {
  if (context->input == NULL || context->input->cur == NULL) {
    *pending = NULL;
    return 0;
  }
  *pending = context->input->cur;
  return (int)(context->input->end - context->input->cur);
}

/// The character of a named entity (`eacute`); 0 where HTML has none of this name.
static inline unsigned int hito_html_entity(const char *name) {
  const htmlEntityDesc *entity = htmlEntityLookup((const xmlChar *)name);
  return entity == NULL ? 0 : entity->value;
}
