using System.CommandLine;
using System.Security.Cryptography;
using Kist.Cli.Commands.Broker;
using Kist.Formats;
using Kist.Host;
using Kist.KeyBroker.Protocol;
using Kist.Oci;

namespace Kist.Cli.Commands.Image;

/// <summary>The key that an image is encrypted or sealed under: its name, its file, and the broker that gets it.</summary>
sealed class BrokerKeyArguments
{
    private readonly Option<string?> _key = new("--key") { Description = "Name of the key at the broker (default: a new name).", HelpName = "kbs:///REPOSITORY/TYPE/TAG" };
    private readonly Option<string?> _keyFile = new("--key-file") { Description = "File of the key, 32 bytes; it is made if missing.", HelpName = "FILE" };
    private readonly Option<string?> _policy = new("--resource-policy") { Description = "Rego file that says who may have the key (default: guests whose measured policy pins this very image)", HelpName = "FILE" };
    private readonly BrokerConnection _broker = new();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _key, _keyFile, _policy })
            command.Add(option);
        _broker.AddTo(command);
    }

    /// <summary>Reads or makes the key, and gives it to the broker. Nothing has been written elsewhere before that.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="hasOtherRecipient">True if somebody could open the image without the broker.</param>
    /// <param name="existing">Older images under this key, which guests may start meanwhile.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<NamedKey> ObtainAsync(
        ParseResult parse, bool hasOtherRecipient, IReadOnlyCollection<Digest> existing, CancellationToken cancellationToken)
    {
        using var broker = _broker.TryConnect(parse);
        var keyFile = parse.GetValue(_keyFile);
        if (broker is null && keyFile is null && !hasOtherRecipient)
            throw new OperationFailedException("choose key", "image", "nobody could open the result", "start a broker with kist up, or give --broker or --key-file");
        var uri = ResourceUri.Parse(parse.GetValue(_key) ?? $"kbs:///default/image-key/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}");
        var key = ReadOrCreate(keyFile);
        try
        {
            if (broker is not null)
            {
                // Before the key is there, and until the image's digests are known, nobody may have it but for older images.
                await broker.SetResourcePolicyAsync(uri.Path, ImageKeyPolicy.Write(existing), cancellationToken);
                await broker.PutResourceAsync(uri, key.Memory, cancellationToken);
            }

            return new NamedKey(uri, key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Says at the broker who may have the key, now that the image's digests are known. Until then nobody may.
    /// </summary>
    public async Task RestrictAsync(ParseResult parse, NamedKey key, IReadOnlyCollection<Digest> manifests, CancellationToken cancellationToken)
    {
        using var broker = _broker.TryConnect(parse);
        if (broker is null)
            return;
        var policy = parse.GetValue(_policy) is { } file ? await File.ReadAllTextAsync(file, cancellationToken) : ImageKeyPolicy.Write(manifests);
        await broker.SetResourcePolicyAsync(key.Uri.Path, policy, cancellationToken);
    }

    private static SecretBytes ReadOrCreate(string? path)
    {
        if (path is null || !File.Exists(path))
        {
            var key = SecretBytes.Random(32);
            if (path is not null)
                WritePrivate(path, key.Span);
            return key;
        }

        var bytes = File.ReadAllBytes(path);
        try
        {
            return bytes.Length == 32 ? SecretBytes.CopyOf(bytes) : throw new MalformedDataException("key file", -1, $"{path} has {bytes.Length} bytes, not 32");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static void WritePrivate(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(bytes);
    }
}

/// <summary>A key and its resource URI.</summary>
sealed record NamedKey(ResourceUri Uri, SecretBytes Key) : IDisposable
{
    /// <summary>The URI as text.</summary>
    public string Id => Uri.ToString();

    public void Dispose() => Key.Dispose();
}
