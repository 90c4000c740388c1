using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>A stored reference: an enclave by the name that people give it.</summary>
public sealed record NamedEnclaveReference
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>Accepted MRENCLAVEs; empty if the signer is what counts.</summary>
    public required ImmutableArray<string> MrEnclave { get; init; }

    /// <summary>Accepted MRSIGNERs; empty if the measurement is what counts.</summary>
    public required ImmutableArray<string> MrSigner { get; init; }

    /// <summary>ISVPRODID, or null.</summary>
    public ushort? Product { get; init; }

    /// <summary>Least acceptable ISVSVN, or null.</summary>
    public ushort? MinimumVersion { get; init; }

    /// <summary>Where the values come from, for people.</summary>
    public required string Source { get; init; }

    /// <summary>From when on it accepts nothing any more; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>What to compare.</summary>
    public EnclaveReference ToReference() => new() { MrEnclave = MrEnclave, MrSigner = MrSigner, Product = Product, MinimumVersion = MinimumVersion };
}

/// <summary>The references of whoever challenges enclaves: a directory with a file for each. Nothing stored accepts nothing.</summary>
/// <param name="directory">The directory; it is made when something is stored.</param>
public sealed class EnclaveReferenceStore(string directory)
{
    private const int MaxBytes = 1 << 20;
    private const int MaxNameLength = 128;

    /// <summary>Stores a reference, in place of one of the same name.</summary>
    /// <exception cref="MalformedDataException">It is ambiguous, or expects nothing.</exception>
    public void Put(NamedEnclaveReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        Check(reference);
        Directory.CreateDirectory(directory);
        var temporary = PathOf(reference.Name) + ".new";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(reference, ReferenceJson.Default.NamedEnclaveReference));
        File.Move(temporary, PathOf(reference.Name), overwrite: true);
    }

    /// <summary>The reference of a name, which must not have expired.</summary>
    /// <exception cref="OperationFailedException">There is none, or it has expired.</exception>
    /// <exception cref="MalformedDataException">What is stored is none.</exception>
    public NamedEnclaveReference Get(string name, DateTimeOffset now)
    {
        var reference = Read(PathOf(name))
            ?? throw new OperationFailedException("find reference", name, "nothing of this name is stored, so nothing would be accepted", "kist enclave reference add NAME --mrenclave …");
        return reference.Expires is { } end && now >= end
            ? throw new OperationFailedException("find reference", name, $"it expired at {end:u}", "store it anew if it still holds") : reference;
    }

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<NamedEnclaveReference> List() =>
        Directory.Exists(directory) ? [.. Directory.GetFiles(directory, "*.json").Order(StringComparer.Ordinal).Select(f => Read(f)!)] : [];

    /// <summary>Removes one; false if there is none.</summary>
    public bool Remove(string name)
    {
        var path = PathOf(name);
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        return true;
    }

    private static void Check(NamedEnclaveReference reference)
    {
        reference.ToReference().ToReferenceValues();
        if (string.IsNullOrWhiteSpace(reference.Source) || reference.Source.Length > MaxNameLength * 8)
            throw new MalformedDataException("enclave reference", -1, "\"source\" must say where the values come from");
    }

    private static NamedEnclaveReference? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        if (new FileInfo(path).Length > MaxBytes)
            throw new MalformedDataException(path, -1, $"more than {MaxBytes} bytes");
        try
        {
            var reference = JsonSerializer.Deserialize(File.ReadAllBytes(path), ReferenceJson.Default.NamedEnclaveReference)
                ?? throw new MalformedDataException(path, -1, "it must be a JSON object");
            Check(reference);
            return reference;
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(path, e.BytePositionInLine ?? -1, $"no stored reference (at {e.Path})", e);
        }
    }

    private string PathOf(string name) =>
        name.Length is > 0 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && name[0] != '.'
            ? Path.Combine(directory, name + ".json") : throw new MalformedDataException("name of reference", -1, $"not 1 to {MaxNameLength} letters, digits, '-', '_' or '.'");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    WriteIndented = true,
    NewLine = "\n",
    MaxDepth = 8)]
[JsonSerializable(typeof(NamedEnclaveReference))]
internal sealed partial class ReferenceJson : JsonSerializerContext;
