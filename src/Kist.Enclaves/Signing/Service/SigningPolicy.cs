using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Enclaves.Signing.Service;

/// <summary>Who may have what signed. What no rule allows is refused; an empty list of rules signs nothing.</summary>
public sealed record SigningPolicy
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Who may ask at all.</summary>
    public required ImmutableArray<SigningCaller> Callers { get; init; }

    /// <summary>What may be signed. One of them must allow all of it.</summary>
    public required ImmutableArray<SigningRule> Rules { get; init; }

    /// <summary>Reads a policy: {"callers":[…],"rules":[…]}; members that are not known are refused.</summary>
    /// <exception cref="MalformedDataException">It is none, names callers twice, or a rule names a caller that there is not.</exception>
    public static SigningPolicy Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
            throw Malformed($"{json.Length} bytes are more than the limit of {MaxBytes}");
        try
        {
            var policy = JsonSerializer.Deserialize(json, SigningJson.Default.SigningPolicy) ?? throw Malformed("it is null");
            policy.Check();
            return policy;
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("signing policy", -1, e.Message, e);
        }
    }

    private void Check()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var caller in Callers)
        {
            if (caller.Name.Length == 0 || !names.Add(caller.Name))
                throw Malformed($"the caller \"{caller.Name}\" has no name, or is there twice");
            if ((caller.Certificate is null) == (caller.Token is null))
                throw Malformed($"the caller \"{caller.Name}\" needs either a certificate's or a token's digest");
            if ((caller.Certificate ?? caller.Token) is not { Length: 64 } digest || !digest.All(char.IsAsciiHexDigitLower))
                throw Malformed($"the caller \"{caller.Name}\": a digest is 64 hexadecimal digits in lower case");
        }

        foreach (var rule in Rules)
        {
            if (rule.Callers.FirstOrDefault(c => !names.Contains(c)) is { } stranger)
                throw Malformed($"a rule names the caller \"{stranger}\", which there is not");
            if (rule.MinimumVersion > rule.MaximumVersion)
                throw Malformed($"a rule has the least version {rule.MinimumVersion} above the greatest, {rule.MaximumVersion}");
            rule.CheckIdentifiers();
        }
    }

    private static MalformedDataException Malformed(string reason) => new("signing policy", -1, reason);
}

/// <summary>Somebody who may ask for signatures, known by a key.</summary>
public sealed record SigningCaller
{
    /// <summary>The name in rules and in the log.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo of the TLS client certificate, lower-case hexadecimal digits.</summary>
    public string? Certificate { get; init; }

    /// <summary>SHA-256 of the bearer token, lower-case hexadecimal digits.</summary>
    public string? Token { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false)]
[JsonSerializable(typeof(SigningPolicy))]
internal sealed partial class SigningJson : JsonSerializerContext;
