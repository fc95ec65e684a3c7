# Strings, hashes and arrays of objects: a log is made, parsed by a regular expression, grouped and printed again.
Entry = Struct.new(:host, :path, :size)

random = Random.new(5)
lines = Array.new(90_000) do |at|
  "host#{random.rand(500)} GET /path/#{random.rand(3000)}/#{'x' * random.rand(60)} #{at * 37 % 9001}"
end

entries = lines.map do |line|
  match = /\A(\S+) GET (\S+) (\d+)\z/.match(line)
  Entry.new(match[1], match[2], match[3].to_i)
end

by_host = entries.group_by(&:host)
totals = by_host.map { |host, list| [host, list.sum(&:size), list.map(&:path).uniq.size] }
report = totals.sort_by { |host, size, _| [-size, host] }.map { |row| row.join("\t") }
words = lines.flat_map { |line| line.split('/') }.tally
puts report.first(5), words.size, lines.join("\n").gsub(/x+/) { |run| run.size.to_s }.bytesize
