namespace Kist.Rego.Builtins;

/// <summary>What stays the same during one evaluation: the time, random numbers, identifiers.</summary>
sealed partial class BuiltinContext
{
    private long? _now;
    private ulong? _seed;
    private readonly Dictionary<(string, RegoValue), RegoValue> _remembered = [];

    /// <summary>The time of the evaluation's first look at the clock.</summary>
    public long NowNanoseconds => _now ??= (Options.Clock.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) * 100;

    /// <summary>The next number of a generator (SplitMix64) that starts from the options' seed, or from a random one.</summary>
    public ulong NextRandom()
    {
        _seed ??= Options.Seed ?? BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
        _seed += 0x9E3779B97F4A7C15;
        var z = _seed.Value;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Gives the same value for the same arguments throughout an evaluation.</summary>
    public RegoValue Remember(RegoValue arguments, Func<RegoValue> create)
    {
        if (!_remembered.TryGetValue((_current.Name, arguments), out var value))
            _remembered.Add((_current.Name, arguments), value = create());
        return value;
    }
}
