using System.Text;

namespace Kist.Rego.Builtins;

/// <summary>
/// Whether two glob-like expressions (characters, <c>.</c>, classes, each with <c>+</c> or <c>*</c>) have a common non-empty
/// match: a search through the product of the two automata.
/// </summary>
static class GlobIntersection
{
    private const int MaxTokens = 500;

    public static bool Intersect(string left, string right, BuiltinContext context)
    {
        var (a, b) = (Parse(left), Parse(right));
        var seen = new HashSet<(int, int)>();
        var queue = new Queue<(int I, int J, bool Moved)>([(0, 0, false)]);
        while (queue.TryDequeue(out var at))
        {
            context.Evaluation.Tick();
            foreach (var i in Reachable(a, at.I))
            {
                foreach (var j in Reachable(b, at.J))
                {
                    if (i == a.Count && j == b.Count)
                    {
                        if (at.Moved || (a.Count == 0 && b.Count == 0))
                            return true;
                        continue;
                    }

                    if (i == a.Count || j == b.Count || !a[i].Overlaps(b[j]))
                        continue;
                    foreach (var (nextI, nextJ) in new[] { (i + 1, j + 1), (i, j + 1), (i + 1, j), (i, j) })
                    {
                        // Staying on a token means reading it once more: only repeated ones allow that.
                        var allowed = (nextI > i || a[i].Repeats) && (nextJ > j || b[j].Repeats);
                        if (allowed && seen.Add((nextI, nextJ)))
                            queue.Enqueue((nextI, nextJ, true));
                    }
                }
            }
        }

        return false;
    }

    /// <summary>The positions that can be reached without reading: optional tokens may be skipped.</summary>
    private static IEnumerable<int> Reachable(List<GlobToken> tokens, int i)
    {
        yield return i;
        while (i < tokens.Count && (tokens[i].Optional))
            yield return ++i;
    }

    private static List<GlobToken> Parse(string text)
    {
        var tokens = new List<GlobToken>();
        var runes = text.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
        {
            if (tokens.Count >= MaxTokens)
                throw new FormatException("the expression is too long");
            var token = runes[i].Value switch
            {
                '.' => new GlobToken([(0, 0x10FFFF)]),
                '[' => Set(runes, ref i),
                '\\' when i + 1 < runes.Length => One(runes[++i]),
                '\\' or '+' or '*' or ']' => throw new FormatException("the input provided is invalid"),
                _ => One(runes[i]),
            };
            if (i + 1 < runes.Length && runes[i + 1].Value is '+' or '*')
                token = token with { Repeats = true, Optional = runes[++i].Value == '*' };
            tokens.Add(token);
        }

        return tokens;
    }

    private static GlobToken One(Rune rune) => new([(rune.Value, rune.Value)]);

    private static GlobToken Set(Rune[] runes, ref int i)
    {
        var ranges = new List<(int, int)>();
        for (i++; i < runes.Length && runes[i].Value != ']'; i++)
        {
            if (runes[i].Value == '\\' && i + 1 < runes.Length)
                i++;
            var low = runes[i].Value;
            if (i + 2 < runes.Length && runes[i + 1].Value == '-' && runes[i + 2].Value != ']')
            {
                i += 2;
                ranges.Add((low, runes[i].Value));
            }
            else
            {
                ranges.Add((low, low));
            }
        }

        return i < runes.Length ? new GlobToken([.. ranges]) : throw new FormatException("the input provided is invalid");
    }

    private sealed record GlobToken((int Low, int High)[] Ranges)
    {
        public bool Repeats { get; init; }

        public bool Optional { get; init; }

        public bool Overlaps(GlobToken other) => Ranges.Any(r => other.Ranges.Any(o => r.Low <= o.High && o.Low <= r.High));
    }
}
