using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;

namespace Kist.Formats.Tests;

public sealed class JsonCanonicalizerTests
{
    private static string Canonical(string json) => Encoding.UTF8.GetString(JsonCanonicalizer.Canonicalize(Encoding.UTF8.GetBytes(json)));

    [Theory] // RFC 8785 appendix B
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Canonicalize_Number_IsWrittenAsEcmaScriptDoes(ulong bits, string expected)
    {
        var value = BitConverter.UInt64BitsToDouble(bits);
        Assert.Equal(expected, Canonical(value.ToString("E17", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Canonicalize_AnyNumber_ReadsBackAsItself() =>
        Gen.Double.Where(double.IsFinite).Sample(d =>
        {
            var text = Canonical(d.ToString("R", CultureInfo.InvariantCulture));
            Assert.Equal(d == 0 ? 0 : d, double.Parse(text, CultureInfo.InvariantCulture));
            Assert.DoesNotContain('E', text);
        }, iter: 20_000);

    [Fact] // RFC 8785 section 3.2.2
    public void Canonicalize_Sample_GivesThePublishedText() =>
        Assert.Equal(
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""",
            Canonical(
                """
                {
                  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                  "literals": [null, true, false]
                }
                """));

    [Fact] // RFC 8785 section 3.2.3: the emoji's first code unit, d83d, stands before fb33
    public void Canonicalize_Names_AreSortedByUtf16CodeUnits()
    {
        var canonical = Canonical(
            """{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"o umlaut"}""");
        using var document = JsonDocument.Parse(canonical);
        Assert.Equal(
            ["Carriage Return", "One", "Control", "o umlaut", "Euro Sign", "Emoji", "Hebrew Letter Dalet With Dagesh"],
            document.RootElement.EnumerateObject().Select(m => m.Value.GetString()));
    }

    [Fact] // the vector of Trustee's attestation service for runtime data
    public void Canonicalize_TrusteeVector_HasThePublishedDigest() =>
        Assert.StartsWith(
            "e71ce8e7",
            Convert.ToHexStringLower(SHA384.HashData(JsonCanonicalizer.Canonicalize("""{"b":1,"a":"test","c":{"d":"e"}}"""u8))),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""{"a":{"b":[{"c":1,"c":1}]}}""")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\udc00x\":1}")]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    [InlineData("")]
    [InlineData("{}{}")]
    [InlineData("[1,]")]
    [InlineData("NaN")]
    public void Canonicalize_NotIJson_IsRefused(string json) => Assert.Throws<MalformedDataException>(() => Canonical(json));

    [Fact]
    public void Canonicalize_DuplicateInParsedElement_IsRefused()
    {
        using var document = JsonDocument.Parse("""{"a":1,"b":2,"a":3}""");
        Assert.Throws<MalformedDataException>(() => JsonCanonicalizer.Canonicalize(document.RootElement));
    }

    [Fact]
    public void Canonicalize_InvalidUtf8_IsRefused() =>
        Assert.Throws<MalformedDataException>(() => JsonCanonicalizer.Canonicalize([(byte)'"', 0xC3, (byte)'"']));

    [Fact]
    public void Canonicalize_TooDeep_IsRefused()
    {
        string Nested(int depth) => new string('[', depth) + new string(']', depth);
        Assert.Equal(Nested(64), Canonical(Nested(64)));
        Assert.Throws<MalformedDataException>(() => Canonical(Nested(65)));
    }
}
