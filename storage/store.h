/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: the object store interface. A store holds objects: whole byte strings under keys. It knows nothing of
 * backups.
 *
 * Who includes this: everything above storage/, and every backend and wrapper. Only agent/ (and tests) include a
 * backend's own header, to make one. tests/conformance/store_suite.c is the contract in executable form: a new backend
 * must pass it unchanged.
 *
 * Keys are 1 to STORE_KEY_MAX bytes, parts separated by single slashes, no part empty, "." or "..", none longer than
 * STORE_KEY_PART_MAX bytes or starting with ".tmp-", and no byte below 0x20 or 0x7f. No key may be a folder of another
 * ("a" beside "a/b"): stores on file systems cannot hold both.
 *
 * Threads: the calls of one handle may come from several threads at once, except store_free().
 * Errors: ERR_NOT_FOUND only when the store answered that there is no such object (a missing bucket or root folder is
 * ERR_NOT_FOUND too, and says so); ERR_STORE_DENIED when it refused us; ERR_STORAGE when it could not be reached or
 * failed; ERR_NO_SPACE when it is full; ERR_EXISTS for create-only; ERR_CORRUPT when it answered nonsense.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_KEY_MAX      900
#define STORE_KEY_PART_MAX 200
#define STORE_REMOVE_MAX   1000 /* keys in one call of the table's remove_many */

struct store;

/* What a handle can do beyond the calls below; in store_features(). A wrapper passes on what it wraps, less what it
 * takes away. */
enum store_feature {
    STORE_CREATE_ONLY =
        1u << 0,              /* STORE_PUT_CREATE is honoured; without it such a put is refused with ERR_UNSUPPORTED */
    STORE_WRITABLE = 1u << 1, /* put and remove are not refused by the handle itself */
};

/* For store_put.flags. */
enum store_put_flag {
    STORE_PUT_CREATE = 1u << 0,    /* only if there is no such object: ERR_EXISTS otherwise, and it is untouched */
    STORE_PUT_PERMANENT = 1u << 1, /* it is never changed: a store that was opened with an object lock locks it. Others
                                      take no notice */
};

/* One object to be stored: a whole buffer, so that a backend can send it again. */
struct store_put {
    const char *key;
    const void *data;
    size_t len;
    unsigned flags;        /* of enum store_put_flag */
    const uint8_t *sha256; /* SHA-256 of the data where the caller has it (32 bytes), or NULL: a backend that signs
                              computes it then */
};

/* What stat and list tell about an object. */
struct store_object {
    const char *key;  /* list: valid during the callback only; stat: the caller's own key */
    uint64_t size;    /* bytes; 0 for a folder */
    int64_t mtime_ms; /* when it was last put, by the store's clock; whole seconds on many stores; 0 for a folder */
    bool is_folder; /* list with a delimiter: all keys that start with this one (it ends with the delimiter), told once
                     */
};

/* What to list. */
struct store_list {
    const char *prefix;      /* keys that start with these bytes (any place, not only at a slash); NULL or "": all */
    const char *start_after; /* only keys greater than this, in byte order; NULL or "": from the first. A folder counts
                                by the key that is told, so that the last one told is where to go on. */
    char delimiter;          /* '/': keys that have one behind the prefix are told as folders; '\0': every key */
};

/* Called once per object or folder, in the byte order of the keys. False ends the listing (which then succeeds). Must
 * not call the store. */
typedef bool store_list_fn(const struct store_object *object, void *cookie);

/* What a backend implements. Its functions are called with arguments that the calls below have checked; prefix and
 * start_after are never NULL; and they say what failed, without the key. A wrapper calls what it wraps through these
 * too, so that the key is not told twice. */
struct store_ops {
    const char *name;
    /* Store the object: after 0 it is durable; at any moment readers see it whole or not at all (or the one that was
     * there before). After -1 it may have been stored all the same: the answer may be what was lost. */
    int (*put)(struct store *s, const struct store_put *put, struct err *err);
    /* LEN bytes from offset OFF into BUF; *GOT is fewer only where the object ends (0 at or behind its end). */
    int (*get)(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err);
    /* Size and time of one object; ERR_NOT_FOUND. object->key is set by the wrapper below. */
    int (*stat)(struct store *s, const char *key, struct store_object *object, struct err *err);
    /* Tell every object that was there before the call began, and none twice; objects that come or go meanwhile may or
     * may not be told. A prefix with nothing under it is an empty listing. */
    int (*list)(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err);
    /* Remove the object; 0 too when there is none. */
    int (*remove)(struct store *s, const char *key, struct err *err);
    /* Remove them all (COUNT > 0, at most STORE_REMOVE_MAX); what is not there counts as removed. After -1 some may be
     * gone. NULL: they are removed one by one. */
    int (*remove_many)(struct store *s, const char *const *keys, size_t count, struct err *err);
    /* The time now by the store's own clock, in ms since 1970: what mtime_ms is compared with. */
    int (*now)(struct store *s, int64_t *now_ms, struct err *err);
    /* As store_describe_credentials(). NULL: this kind of store asks for none. */
    void (*describe_credentials)(struct store *s, char *text, size_t size);
    /* Release all but the url and what is wrapped; never called with NULL. */
    void (*free)(struct store *s);
};

/* The first member of every backend's own struct. */
struct store {
    const struct store_ops *ops;
    unsigned features;   /* of enum store_feature; set when made, then only store_drop_features() changes it */
    char *url;           /* for messages: no secret in it; freed by store_free() */
    struct store *inner; /* what a wrapper wraps: its missing features are the wrapper's too, and it is freed with it.
                            NULL in a backend */
};

/*
 * The calls. They check the arguments (a key against the rules above: ERR_USAGE), put the url and the key in front of
 * an error, and are the only way in.
 *
 * store_put() and the removals answer ERR_REFUSED on a handle that is not STORE_WRITABLE. A removal is ERR_LOCKED when
 * the store keeps the object for now, whoever asks (object lock): try again later. store_get() of 0 bytes only
 * looks whether the object is there. store_list() leaves out what is no key by the rules above (other programs put such
 * things into buckets and folders), and is ERR_CORRUPT when the store tells keys out of order.
 */
int store_put(struct store *s, const struct store_put *put, struct err *err) MUST_CHECK;
int store_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got,
              struct err *err) MUST_CHECK;
int store_stat(struct store *s, const char *key, struct store_object *object, struct err *err) MUST_CHECK;
int store_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie,
               struct err *err) MUST_CHECK;
int store_remove(struct store *s, const char *key, struct err *err) MUST_CHECK;
/* All of KEYS, any number of them, in as few requests as the store can. After -1 some may be gone. */
int store_remove_many(struct store *s, const char *const *keys, size_t count, struct err *err) MUST_CHECK;
int store_now(struct store *s, int64_t *now_ms, struct err *err) MUST_CHECK;

/* Free the handle and what it wraps. NULL is fine. */
void store_free(struct store *s);

unsigned store_features(const struct store *s);
/* For backends that find out late: these features are not there after all. */
void store_drop_features(struct store *s, unsigned features);
const char *store_url(const struct store *s);
/* Who we are to the store, for people and without a secret: where its access key came from, as "web identity, for
 * another 59m". "" where it needs none, or was not asked yet. Finds the backend below any wrappers. */
void store_describe_credentials(struct store *s, char *text, size_t size);

/* The whole of a small object: *DATA (NUL-terminated, the caller frees) and *LEN. ERR_CORRUPT when it has more than CAP
 * bytes. */
int store_get_all(struct store *s, const char *key, size_t cap, char **data, size_t *len, struct err *err) MUST_CHECK;

/* Is KEY allowed by the rules above? ERR_USAGE when not. */
int store_key_check(const char *key, struct err *err) MUST_CHECK;

#endif
