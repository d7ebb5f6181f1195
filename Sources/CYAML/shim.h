#pragma once
// What Documents needs of libyaml: the parser that gives events. It builds no tree, and follows no
// alias.
#include <yaml.h>
