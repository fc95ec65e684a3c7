-- Tables, closures and strings: objects made and dropped, text built piece by piece, a sort, string keys.
local seed = 4
local function random(bound)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % bound
end

local function points(count)
    local list = {}
    for i = 1, count do
        list[i] = {x = random(1000), y = random(1000), name = "point" .. i}
    end
    table.sort(list, function(one, other)
        if one.x ~= other.x then return one.x < other.x end
        return one.name < other.name
    end)
    return list
end

local function text(count)
    local parts, index = {}, {}
    for i = 1, count do
        local word = string.rep(string.char(97 + random(26)), 1 + random(10)) .. random(3000)
        index[word] = (index[word] or 0) + 1
        parts[#parts + 1] = word
    end
    local joined = table.concat(parts, " ")
    return #joined, select(2, joined:gsub("a%d+", "%0!"))
end

local sum = 0
for round = 1, 6 do
    local list = points(25000)
    sum = sum + list[#list].x + list[1].y
    local length, count = text(60000)
    sum = sum + length + count
end
print(sum)
