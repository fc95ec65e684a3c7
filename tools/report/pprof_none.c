/* tools/report/pprof, built without protobuf-c or zlib. */
#include "tools/report/changes.h"
#include "tools/report/render.h"
#include "tools/say.h"

static int refuse(void)
{
    say_error("this gcalloc was built without protobuf-c and zlib: no profiles for pprof");
    return -1;
}

int render_pprof(const struct render *render)
{
    (void)render;
    return refuse();
}

int changes_pprof(const struct changes *changes)
{
    (void)changes;
    return refuse();
}
