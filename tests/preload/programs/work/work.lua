-- Tables, strings, coroutines, closures, the collector in both modes.
local state = 17
local function random(n) state = (state * 1103515245 + 12345) % 2147483648; return state % n end
local words, count = {}, {}
for i = 1, 60000 do
    local letters = {}
    for j = 1, 1 + random(8) do letters[j] = string.char(97 + random(26)) end
    words[i] = table.concat(letters)
    count[words[i]] = (count[words[i]] or 0) + 1
end
local keys = {}
for word in pairs(count) do keys[#keys + 1] = word end
table.sort(keys, function(a, b) if count[a] ~= count[b] then return count[a] > count[b] end return a < b end)
for i = 1, 8 do print(keys[i], count[keys[i]]) end
local text = table.concat(words, " ")
print(#text, select(2, text:gsub("[aeiou]+", "")), text:gsub("%w+", string.upper):sub(1, 60))
local function tree(depth) if depth == 0 then return {} end return { tree(depth - 1), tree(depth - 1) } end
local function nodes(t) return t[1] and 1 + nodes(t[1]) + nodes(t[2]) or 1 end
for _, mode in ipairs { "generational", "incremental" } do
    collectgarbage(mode)
    local sum = 0
    for i = 1, 30 do sum = sum + nodes(tree(11)) end
    print(mode ~= nil, sum)
end
local producers = {}
for i = 1, 500 do producers[i] = coroutine.wrap(function() for k = 1, 20 do coroutine.yield(("x"):rep(i % 50 + k)) end end) end
local total = 0
for k = 1, 20 do for i = 1, 500 do total = total + #producers[i]() end end
print(total, string.format("%q %5.2f %x", "quo\"te", 3.14159, 255))
local out = assert(io.open("lua.out", "w"))
for _, key in ipairs(keys) do out:write(key, " ", count[key], "\n") end
out:close()
collectgarbage()
print(load("local a = ... return a * 2")(21), #string.rep("abc", 1000000, ","))
