#pragma once
// What Documents needs of md4c: the parser alone, not its HTML writer.
#include <md4c.h>
