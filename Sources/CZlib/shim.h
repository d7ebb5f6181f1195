#pragma once
// What Deflate needs of zlib: whole texts at once.
#include <zlib.h>
