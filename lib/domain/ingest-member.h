/*
 * ingest-member.h -- the words that the kinds of ingest.h are written in: members and their limits.
 */
#ifndef PH_INGEST_MEMBER_H
#define PH_INGEST_MEMBER_H

#include "domain/ingest.h"

#define BIT(param) (UINT32_C(1) << (param))
#define EXACT_MAX INT64_C(9007199254740992)	/* what a JSON number holds exactly */
#define LONG_MS INT64_C(1000000000000)

enum { NAME_MAX_BYTES = 200, TITLE_MAX = 500, TEXT_MAX = 20000, PATH_BYTES = 4096, URL_MAX = 2048,
    KEY_MAX = 255, PLATFORM_MAX = 50, WORD_MAX = 64, JSON_MAX = 65536, TRIES_MAX = 1000 };

/* Members that several kinds have. */
#define BODY(member, kind, ...) { .name = (member), .type = (kind), .in = PH_IN_BODY, __VA_ARGS__ }
#define ID(member, meaning) BODY(member, PH_P_TEXT, .min = 1, .max = PH_INGEST_ID_MAX, .text = (meaning))
#define INSTANT(member, meaning) BODY(member, PH_P_INSTANT, .text = (meaning))
#define TEXT(member, most, meaning) BODY(member, PH_P_TEXT, .max = (most), .text = (meaning))
#define JSON(member, meaning) BODY(member, PH_P_JSON, .max = JSON_MAX, .text = (meaning))
#define OWN_ID ID("id", "Of the row; one is made for a row without it.")
#define CREATED_AT INSTANT("created_at", "When it was made; default now.")
#define UPDATED_AT INSTANT("updated_at", "When it was last changed; default now.")

#endif
