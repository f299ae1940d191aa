/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jansson's loops for cppcheck, which is not shown the libraries' headers. */
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)); i++)
#define json_object_foreach(o, k, v) for (k = json_first(o); (v = json_object_get(o, k)); k = json_after(o, k))
