using System.Numerics;
using System.Security.Cryptography;

namespace Kist.Rego.Builtins;

/// <summary>trace, print, opa.runtime, rand.intn, uuid.*.</summary>
static class MiscellaneousBuiltins
{
    private const int MaxPrints = 10_000;

    private static readonly string[] RequiredOfRequests = ["method", "url"];

    public static void Register(Registry table)
    {
        table.Add("trace", 1, (c, a) => c.String(a, 0, out var s) ? Say(c, s) : null);
        table.Add("print", -1, (c, a) => Say(c, string.Join(' ', a.ToArray().Select(Shown))));
        table.Add("opa.runtime", 0, (c, _) => c.Options.Runtime ?? RegoObject.Empty);
        table.Add("rego.parse_module", 2, ParseModule);
        table.Add("rand.intn", 2, Random);
        table.Add("uuid.rfc4122", 1, (c, a) => c.String(a, 0, out _) ? c.Remember(a[0], () => NewUuid(c)) : null);
        table.Add("http.send", 1, Send);
        // Compiled to constants in rules; in a query there is no rule.
        table.Add("rego.metadata.rule", 0, (_, _) => RegoObject.Empty);
        table.Add("rego.metadata.chain", 0, (_, _) => RegoArray.Empty);
        table.Add("net.lookup_ip_addr", 1, (c, _) => c.Fail("policies may not use the network"));
        table.Add("uuid.parse", 1, (c, a) => c.String(a, 0, out var s) ? Uuid.Parse(s) : null);
    }

    private static RegoValue Say(BuiltinContext c, string text)
    {
        c.Evaluation.Charge(text.Length * 2L);
        if (c.Evaluation.Prints.Count < MaxPrints)
            c.Evaluation.Prints.Add(text);
        return RegoValue.True;
    }

    /// <summary>An argument of print comes as the set of its values.</summary>
    private static string Shown(RegoValue value) => value switch
    {
        RegoString s => s.Value,
        RegoSet { Count: 0 } => "<undefined>",
        RegoSet set => string.Join(' ', set.Items.ToArray().Select(v => v is RegoString s ? s.Value : v.ToString())),
        _ => value.ToString(),
    };

    /// <summary>Reports what does not parse. The syntax tree of what does is not given: its form is OPA's own.</summary>
    private static RegoValue? ParseModule(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var name) || !c.String(a, 1, out var text))
            return null;
        c.Evaluation.Spend(text.Length);
        try
        {
            return Syntax.ModuleTree.Of(Syntax.Parser.ParseModule(new RegoModule(name, text), RegoVersion.Either));
        }
        catch (RegoException e)
        {
            return c.Fail(e.Message);
        }
    }

    private static RegoValue? Send(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.Object(a, 0, out var request))
            return null;
        var missing = RequiredOfRequests.Where(n => request[n] is null).Select(n => $"\"{n}\"").ToList();
        return missing.Count > 0
            ? c.FailOperand(0, $"missing required request parameters(s): {{{string.Join(", ", missing)}}}")
            : c.Fail("policies may not use the network");
    }

    private static RegoValue? Random(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out _) || !c.Integer(a, 1, out var limit))
            return null;
        if (limit.IsZero)
            return RegoNumber.FromInt64(0);
        return c.Remember(RegoArray.Of(a.ToArray()), () => RegoNumber.FromBigInteger(new BigInteger(c.NextRandom()) % BigInteger.Abs(limit)));
    }

    private static RegoString NewUuid(BuiltinContext c)
    {
        var bytes = c.Options.Seed is null
            ? RandomNumberGenerator.GetBytes(16)
            : [.. BitConverter.GetBytes(c.NextRandom()), .. BitConverter.GetBytes(c.NextRandom())];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new RegoString(new Guid(bytes, bigEndian: true).ToString());
    }
}
