/**
 * What Redis does at one go. Each script gets the prefix of the store as its only key, and finds the others by it: they share its hash tag
 * and so its slot. Values come as arguments, never as parts of a script.
 *
 * | key        | value                                                                                              |
 * | ---------- | -------------------------------------------------------------------------------------------------- |
 * | `gen`      | which generation of keys counts; all of another one are not seen, and expire                       |
 * | `r:id`     | `=instant text`: a copy · `rname`: kept for a reader · `wname`, `Wname`: for a writer; `W` had a copy |
 * | `g:rootId` | the workflow is gone                                                                               |
 * | `l:key`    | `=instant text`: a look                                                                            |
 */

const START = `
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
local keys = KEYS[1] .. (redis.call('GET', KEYS[1] .. 'gen') or '0') .. ':'
`;

/** ARGV: reader, lease, ids. Returns the instant, then for each id `=instant text`, `r` when its place is now the reader's, or `w`. */
export const READ: string = `${START}
local answer = { now }
for i = 3, #ARGV do
  local id = ARGV[i]
  local found = redis.call('GET', keys .. 'r:' .. id)
  local told = 'w'
  if not found then
    redis.call('SET', keys .. 'r:' .. id, 'r' .. ARGV[1], 'PX', ARGV[2])
    told = 'r'
  elseif string.byte(found) == 61 then
    local root = string.match(id, '^[^.]*')
    if root == id or redis.call('EXISTS', keys .. 'g:' .. root) == 0 then told = found end
  end
  answer[#answer + 1] = told
end
return answer
`;

/** ARGV: reader, then id, text (empty: none) and life of each. */
export const FILL: string = `${START}
for i = 2, #ARGV, 3 do
  local key = keys .. 'r:' .. ARGV[i]
  if redis.call('GET', key) == 'r' .. ARGV[1] then
    if ARGV[i + 1] == '' then redis.call('DEL', key)
    else redis.call('SET', key, '=' .. now .. ' ' .. ARGV[i + 1], 'PX', ARGV[i + 2]) end
  end
end
`;

/** ARGV: writer, lease, life of the flag, ids and roots that are gone as JSON. Returns the ids of those that had a copy. */
export const BEGIN: string = `${START}
local hot = {}
for _, id in ipairs(cjson.decode(ARGV[4])) do
  local key = keys .. 'r:' .. id
  local found = redis.call('GET', key)
  local mark = 'w'
  if found and (string.byte(found) == 61 or string.byte(found) == 87) then
    mark = 'W'
    hot[#hot + 1] = id
  end
  redis.call('SET', key, mark .. ARGV[1], 'PX', ARGV[2])
end
for _, root in ipairs(cjson.decode(ARGV[5])) do redis.call('SET', keys .. 'g:' .. root, '1', 'PX', ARGV[3]) end
return hot
`;

/** ARGV: writer, who rings (empty: nobody), roots that are back and ids of what gets no copy as JSON, then id, text and life of copies. */
export const END: string = `${START}
local cold, hot = 'w' .. ARGV[1], 'W' .. ARGV[1]
-- Whether the place is still the writer's. What is there of somebody who does not write is taken away.
local function mine(key)
  local found = redis.call('GET', key)
  if found == cold or found == hot then return true end
  if found and string.byte(found) ~= 119 and string.byte(found) ~= 87 then redis.call('DEL', key) end
  return false
end
for _, root in ipairs(cjson.decode(ARGV[3])) do redis.call('DEL', keys .. 'g:' .. root) end
for _, id in ipairs(cjson.decode(ARGV[4])) do
  local key = keys .. 'r:' .. id
  if mine(key) then redis.call('DEL', key) end
end
for i = 5, #ARGV, 3 do
  local key = keys .. 'r:' .. ARGV[i]
  if mine(key) then redis.call('SET', key, '=' .. now .. ' ' .. ARGV[i + 1], 'PX', ARGV[i + 2]) end
end
if ARGV[2] ~= '' then redis.call('PUBLISH', KEYS[1] .. 'bell', ARGV[2]) end
`;

/** ARGV: key, root (empty: none). Returns the instant and `=instant text`, or nothing. */
export const LOOK: string = `${START}
local found = redis.call('GET', keys .. 'l:' .. ARGV[1])
if found and ARGV[2] ~= '' and redis.call('EXISTS', keys .. 'g:' .. ARGV[2]) == 1 then found = false end
return { now, found }
`;

/** ARGV: key, instant, text, life. */
export const KEEP: string = `${START}
local key = keys .. 'l:' .. ARGV[1]
local found = redis.call('GET', key)
local since = found and tonumber(string.match(found, '^=(%d+) '))
if since and since > tonumber(ARGV[2]) then return end
redis.call('SET', key, '=' .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
`;

/** ARGV: the name of the next generation, how long (ms) keys of the last one may live. */
export const FORGET: string = `redis.call('SET', KEYS[1] .. 'gen', ARGV[1], 'PX', ARGV[2])`;
