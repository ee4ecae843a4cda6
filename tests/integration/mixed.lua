-- SPDX-License-Identifier: Apache-2.0
-- mixed.lua MEGABYTES SEED: fills databases 0, 1, 5 and 15 with about that many megabytes of keys of every common type,
-- as compressible as an application's own: records with ids, names, short texts and tokens. The same seed makes the same
-- keys; another seed makes other keys. Every fifth key expires, in the year 2100. Returns the number of keys.
local megabytes, seed = tonumber(ARGV[1]), tonumber(ARGV[2])
local year2100 = 4102444800
local random, floor, format, concat = math.random, math.floor, string.format, table.concat
math.randomseed(seed)

local words = {}
do
    local syllables = {'ka', 'to', 'mi', 'ren', 'sol', 'ba', 'du', 'li', 'ver', 'no', 'shi', 'gra', 'pel', 'on', 'ta', 'e'}
    for i = 1, 3000 do
        local parts = {}
        for j = 1, random(1, 4) do
            parts[j] = syllables[random(#syllables)]
        end
        words[i] = concat(parts)
    end
end

-- Runs of one to five words; common ones come more often.
local phrases = {}
for i = 1, 20000 do
    local parts = {}
    for j = 1, random(1, 5) do
        local r = random()
        parts[j] = words[floor(r * r * 2999) + 1]
    end
    phrases[i] = concat(parts, ' ')
end

local function text(count)
    local parts = {}
    for i = 1, count do
        parts[i] = phrases[random(20000)]
    end
    return concat(parts, ' ')
end

local function record(i)
    return format('{"id":%d,"user":"%s%d","mail":"%s@%s.example","at":%d,"score":%.2f,"token":"%08x%08x","note":"%s"}',
                  i, words[random(3000)], random(9999), words[random(3000)], words[random(3000)],
                  1700000000 + random(30000000), random() * 1000, random(2147483647), random(2147483647),
                  text(random(3, 10)))
end

-- How many elements: few, and now and then more than the compact encodings hold.
local function size()
    return random(50) == 1 and random(130, 600) or random(3, 30)
end

-- Each maker writes one key and returns about how many bytes went into it.
local makers = {
    string = function(key, i)
        local value = record(i)
        redis.call('SET', key, value)
        return #value
    end,
    document = function(key)
        local value = text(random(500, 4000))
        redis.call('SET', key, value)
        return #value
    end,
    counter = function(key)
        redis.call('SET', key, random(2000000000))
        return 16
    end,
    hash = function(key, i)
        local note = text(random(2, 8))
        redis.call('HSET', key, 'id', i, 'name', words[random(3000)], 'at', 1700000000 + random(30000000),
                   'state', random(5), 'note', note, 'token', format('%08x', random(2147483647)))
        return 70 + #note
    end,
    list = function(key)
        local items, bytes = {}, 0
        for n = 1, random(5, 60) do
            items[n] = text(random(1, 4))
            bytes = bytes + #items[n]
        end
        redis.call('RPUSH', key, unpack(items))
        return bytes
    end,
    set = function(key)
        local items, bytes = {}, 0
        for n = 1, size() do
            items[n] = n % 2 == 0 and random(1000000) or format('%s:%d', words[random(3000)], random(100000))
            bytes = bytes + 12
        end
        redis.call('SADD', key, unpack(items))
        return bytes
    end,
    zset = function(key)
        local items, bytes = {}, 0
        for _ = 1, size() do
            items[#items + 1] = random(1000000) / 4
            items[#items + 1] = format('player:%s:%d', words[random(3000)], random(100000))
            bytes = bytes + 30
        end
        redis.call('ZADD', key, unpack(items))
        return bytes
    end,
    stream = function(key)
        local bytes = 0
        for n = 1, random(5, 40) do
            local note = text(random(1, 4))
            redis.call('XADD', key, 1700000000000 + n .. '-1', 'kind', words[random(20)], 'note', note)
            bytes = bytes + 20 + #note
        end
        redis.call('XGROUP', 'CREATE', key, 'workers', '0')
        redis.call('XREADGROUP', 'GROUP', 'workers', 'worker-1', 'COUNT', 3, 'STREAMS', key, '>')
        return bytes
    end,
}
local plan = {}
for name, share in pairs({string = 50, counter = 9, document = 1, hash = 20, list = 8, set = 4, zset = 5, stream = 3}) do
    plan[#plan + 1] = {name = name, share = share}
end
table.sort(plan, function(a, b) return a.name < b.name end)
local wheel = {}
for _, entry in ipairs(plan) do
    for _ = 1, entry.share do
        wheel[#wheel + 1] = entry.name
    end
end

local databases = {0, 0, 0, 0, 0, 0, 0, 1, 5, 15}
local keys, bytes, batch = 0, 0, 500
while bytes < megabytes * 1048576 do
    redis.call('SELECT', databases[random(#databases)])
    for _ = 1, batch do
        local name = wheel[random(#wheel)]
        local key = format('%s:%d:%d', name, seed, keys)
        bytes = bytes + makers[name](key, keys)
        if keys % 5 == 0 then
            redis.call('EXPIREAT', key, year2100 + random(100000))
        end
        keys = keys + 1
    end
end
return keys
