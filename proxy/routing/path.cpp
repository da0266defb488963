#include "proxy/routing/path.hpp"
