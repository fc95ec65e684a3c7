/* tools/report/pprof, built without protobuf-c or zlib. */
#include "tools/report/render.h"
#include "tools/say.h"

int render_pprof(const struct render *render)
{
    (void)render;
    say_error("this gcalloc was built without protobuf-c and zlib: no profiles for pprof");
    return -1;
}
