using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>What io.jwt.decode_verify demands of a token: a key, and perhaps issuer, audience, algorithm and time.</summary>
sealed class JwtConstraints
{
    private static readonly RegoArray Invalid = RegoArray.Of([RegoValue.False, RegoObject.Empty, RegoObject.Empty]);

    private List<JwtKey>? _keys;
    private byte[]? _secret;
    private string? _algorithm;
    private string? _issuer;
    private string? _audience;
    private BigInteger _time;

    /// <summary>Reads constraints.</summary>
    /// <exception cref="FormatException">They are not complete, or there is one that is not known.</exception>
    public static JwtConstraints Parse(RegoObject constraints, long now)
    {
        var result = new JwtConstraints { _time = now };
        for (var i = 0; i < constraints.Count; i++)
            result.Add((constraints.Keys[i] as RegoString)?.Value, constraints.Values[i]);
        if (result._keys is not null && result._secret is not null)
            throw new FormatException("duplicate key constraints");
        if (result._keys is null && result._secret is null)
            throw new FormatException("no key constraint");
        return result;
    }

    /// <summary><c>[valid, header, payload]</c>; the last two are empty for a token that is not valid.</summary>
    public RegoArray Check(string text)
    {
        var token = JwtToken.Parse(text);
        for (var depth = 0; ; depth++)
        {
            if (!HasValidSignature(token))
                return Invalid;
            if (!token.IsNested)
                break;
            if (depth == JwtToken.MaxNesting)
                throw new FormatException("token nested too deep");
            token = JwtToken.Parse(token.PayloadText.Trim('"'));
        }

        var payload = token.ReadPayload();
        return HasValidClaims(payload) ? RegoArray.Of([RegoValue.True, token.Header, payload]) : Invalid;
    }

    private void Add(string? name, RegoValue value)
    {
        switch (name)
        {
            case "time":
                if (value is not RegoNumber n)
                    throw new FormatException("token time constraint: must be a number");
                if (n.Sign < 0)
                    throw new FormatException("token time constraint: must not be negative");
                if (!n.TryGetInteger(out _time))
                    _time = BinaryFloat.Of(n).Truncate();
                return;
            case "cert" or "secret" or "alg" or "iss" or "aud":
                break;
            default:
                throw new FormatException($"unknown token validation constraint: {name}");
        }

        if (value is not RegoString { Value: var text })
            throw new FormatException($"token constraint {name}: must be a string");
        switch (name)
        {
            case "cert": _keys = JwtKeys.Parse(text); break;
            case "secret": _secret = EncodingBuiltins.Bytes(text); break;
            case "alg": _algorithm = text; break;
            case "iss": _issuer = text; break;
            default: _audience = text; break;
        }
    }

    private bool HasValidSignature(JwtToken token)
    {
        if (token.Algorithm is not { Length: 5 } algorithm || HasUnknownCritical(token.Header))
            return false;
        if (_algorithm is not null && _algorithm != algorithm)
            return false;
        if (_secret is not null)
            return algorithm[0] == 'H' && algorithm[1] == 'S' && JwtKeys.VerifyHmac(algorithm, _secret, token.Signed, token.Signature);
        if (algorithm is not (['R' or 'P' or 'E', 'S', ..] or EdDsa.Algorithm))
            return false;
        // The key that the token names decides; if there is none of that name, all are tried.
        if (token.Header["kid"] is RegoString { Value: var id } && _keys!.Find(k => k.Id == id) is { } named)
            return named.Verify(algorithm, token.Signed, token.Signature);
        return _keys!.Exists(k => (k.Algorithm is null || k.Algorithm == algorithm) && k.Verify(algorithm, token.Signed, token.Signature));
    }

    /// <summary>RFC 7515, 4.1.11: a critical parameter that is not understood makes the token invalid.</summary>
    private static bool HasUnknownCritical(RegoObject header)
    {
        if (header["crit"] is not { } critical)
            return false;
        if (critical is not RegoArray { Count: > 0 } names || names.Items.ToArray().Any(n => n is not RegoString))
            throw new FormatException("crit: must be a nonempty list of strings");
        return names.Items.ToArray().Any(n => header.Contains(n) && ((RegoString)n).Value is not ("alg" or "kid" or "typ" or "cty" or "crit"));
    }

    private bool HasValidClaims(RegoObject payload)
    {
        if (_issuer is not null && payload["iss"] is not RegoString { Value: var issuer })
            return false;
        if (_issuer is not null && ((RegoString)payload["iss"]!).Value != _issuer)
            return false;
        if (!HasValidAudience(payload["aud"]))
            return false;
        if (payload["exp"] is { } expiry && _time >= Seconds(expiry, "exp"))
            return false;
        return payload["nbf"] is not { } notBefore || _time >= Seconds(notBefore, "nbf");
    }

    /// <summary>A token with an audience is only for those who name it.</summary>
    private bool HasValidAudience(RegoValue? claim) => claim switch
    {
        null => _audience is null,
        RegoString s => s.Value == _audience,
        RegoArray array => _audience is not null && array.Items.Contains(new RegoString(_audience)),
        _ => false,
    };

    private static BigInteger Seconds(RegoValue value, string claim)
    {
        if (value is not RegoNumber number)
            throw new FormatException($"{claim} value must be a number");
        var nanoseconds = Arithmetic.Multiply(number, RegoNumber.FromInt64(1_000_000_000));
        return nanoseconds.TryGetInteger(out var integer) ? integer : BinaryFloat.Of(nanoseconds).Truncate();
    }
}
