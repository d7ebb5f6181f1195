// Debian's toml++, behind one function. Exceptions are off; what is left (no memory) ends here.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16

#include "CToml.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include <toml++/toml.h>

namespace {

struct Visit {
  hito_toml_visitor visitor;
  void *context;

  void value(const std::string &key, const toml::node &node, hito_toml_kind kind,
             std::string_view text) const {
    visitor(context, key.data(), key.size(), kind, text.data(), text.size(),
            node.source().begin.line);
  }

  template <typename Number>
  void number(const std::string &key, const toml::node &node, Number number) const {
    char digits[64];
    auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    value(key, node, HITO_TOML_NUMBER, std::string_view(digits, size_t(end - digits)));
  }

  void scalar(const std::string &key, const toml::node &node) const {
    if (auto text = node.as_string()) {
      value(key, node, HITO_TOML_TEXT, text->get());
    } else if (auto integer = node.as_integer()) {
      number(key, node, integer->get());
    } else if (auto real = node.as_floating_point()) {
      number(key, node, real->get());
    } else if (auto boolean = node.as_boolean()) {
      value(key, node, HITO_TOML_BOOLEAN, boolean->get() ? "true" : "false");
    } else {
      value(key, node, HITO_TOML_OTHER, "");
    }
  }

  void table(const std::string &prefix, const toml::table &table) const {
    for (auto &&[name, node] : table) {
      auto key = prefix + std::string(name.str());
      if (auto inner = node.as_table()) {
        this->table(key + ".", *inner);
      } else if (auto array = node.as_array()) {
        for (auto &element : *array) scalar(key, element);
      } else {
        scalar(key, node);
      }
    }
  }
};

void explain(std::string_view reason, char *buffer, size_t size) {
  if (size == 0) return;
  auto count = std::min(reason.size(), size - 1);
  std::memcpy(buffer, reason.data(), count);
  buffer[count] = 0;
}

}  // namespace

size_t hito_toml_read(const char *text, size_t length, hito_toml_visitor visitor, void *context,
                      char *reason, size_t reason_size) {
  try {
    auto result = toml::parse(std::string_view(text, length));
    if (!result) {
      explain(result.error().description(), reason, reason_size);
      return std::max<size_t>(1, result.error().source().begin.line);
    }
    Visit{visitor, context}.table("", result.table());
    return 0;
  } catch (...) {
    explain("there is not enough memory for it", reason, reason_size);
    return 1;
  }
}
