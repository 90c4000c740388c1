namespace Kist.Rego.Builtins;

/// <summary>io.jwt.*: JSON web tokens decoded, verified and signed.</summary>
static class JwtBuiltins
{
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", EdDsa.Algorithm];

    public static void Register(Registry table)
    {
        table.Add("io.jwt.decode", 1, (c, a) => c.String(a, 0, out var s) ? Decode(s, 0) : null);
        foreach (var algorithm in Algorithms)
        {
            table.Add($"io.jwt.verify_{algorithm.ToLowerInvariant()}", 2, (c, a) =>
                c.String(a, 0, out var token) && c.String(a, 1, out var key) ? RegoValue.Of(Verify(JwtToken.Parse(token), algorithm, key)) : null);
        }

        table.Add("io.jwt.decode_verify", 2, (c, a) =>
            c.String(a, 0, out var token) && c.Object(a, 1, out var constraints) ? JwtConstraints.Parse(constraints, c.NowNanoseconds).Check(token) : null);
        table.Add("io.jwt.encode_sign", 3, (c, a) => c.Object(a, 0, out var header) && c.Object(a, 1, out var payload) && c.Object(a, 2, out var key)
            ? c.Text(JwtSigning.Sign(header.ToJson(), payload.ToJson(), key))
            : null);
        table.Add("io.jwt.encode_sign_raw", 3, (c, a) => c.String(a, 0, out var header) && c.String(a, 1, out var payload) && c.String(a, 2, out var key)
            ? c.Text(JwtSigning.Sign(header, payload, JwtToken.ReadObject(key, "key")))
            : null);
    }

    private static bool Verify(JwtToken token, string algorithm, string key)
    {
        if (algorithm[0] == 'H')
            return JwtKeys.VerifyHmac(algorithm, EncodingBuiltins.Bytes(key), token.Signed, token.Signature);
        return JwtKeys.Parse(key).Any(k => k.Verify(algorithm, token.Signed, token.Signature));
    }

    /// <summary><c>[header, payload, signature in hex]</c>; a token inside a token is decoded in its place.</summary>
    private static RegoArray Decode(string text, int depth)
    {
        var token = JwtToken.Parse(text);
        if (token.IsNested && depth < JwtToken.MaxNesting)
            return Decode(token.PayloadText.Trim('"'), depth + 1);
        return RegoArray.Of([token.Header, token.ReadPayload(), new RegoString(Convert.ToHexStringLower(token.Signature))]);
    }
}
