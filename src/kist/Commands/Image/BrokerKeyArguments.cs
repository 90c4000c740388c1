using System.CommandLine;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Image;

/// <summary>The key that an image is encrypted or sealed under: its name, its file, and the broker that gets it.</summary>
sealed class BrokerKeyArguments
{
    private readonly Option<string?> _key = new("--key") { Description = "Name of the key at the broker (default: a new name).", HelpName = "kbs:///REPOSITORY/TYPE/TAG" };
    private readonly Option<string?> _keyFile = new("--key-file") { Description = "File of the key, 32 bytes; it is made if missing.", HelpName = "FILE" };
    private readonly Option<string?> _broker = new("--broker") { Description = "Address of the key broker that gets the key.", HelpName = "URL" };
    private readonly Option<string?> _certificate = new("--broker-certificate") { Description = "File with the broker's certificate, or its authority's (PEM).", HelpName = "FILE" };
    private readonly Option<string?> _token = new("--admin-token") { Description = "File with the broker administrator's token (default: the variable KIST_ADMIN_TOKEN).", HelpName = "FILE" };
    private readonly Option<string?> _policy = new("--resource-policy") { Description = "Rego file that becomes the broker's policy of who may have its resources.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _key, _keyFile, _broker, _certificate, _token, _policy })
            command.Add(option);
    }

    /// <summary>Reads or makes the key, and gives it to the broker. Nothing has been written elsewhere before that.</summary>
    public async Task<NamedKey> ObtainAsync(ParseResult parse, bool hasOtherRecipient, CancellationToken cancellationToken)
    {
        using var uploader = CreateUploader(parse);
        var keyFile = parse.GetValue(_keyFile);
        if (uploader is null && keyFile is null && !hasOtherRecipient)
            throw new OperationFailedException("choose key", "image", "nobody could open the result", "give --broker, or --key-file");
        var id = parse.GetValue(_key) is { } name
            ? ResourceUri.Parse(name).ToString()
            : $"kbs:///default/image-key/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";
        var key = ReadOrCreate(keyFile);
        try
        {
            if (uploader is not null)
            {
                await uploader.UploadAsync(id, key.Memory, cancellationToken);
                if (parse.GetValue(_policy) is { } policy)
                    await uploader.SetResourcePolicyAsync(await File.ReadAllTextAsync(policy, cancellationToken), cancellationToken);
            }

            return new NamedKey(id, key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private BrokerKeyUploader? CreateUploader(ParseResult parse)
    {
        if (parse.GetValue(_broker) is not { } broker)
            return null;
        if (!Uri.TryCreate(broker, UriKind.Absolute, out var address) || (address.Scheme != "https" && !address.IsLoopback))
            throw new MalformedDataException("broker address", -1, $"'{broker}' is no https address");
        var token = parse.GetValue(_token) is { } file
            ? File.ReadAllText(file).Trim()
            : Environment.GetEnvironmentVariable("KIST_ADMIN_TOKEN");
        return token is { Length: > 0 }
            ? new BrokerKeyUploader(address, parse.GetValue(_certificate), token)
            : throw new OperationFailedException("upload key", broker, "there is no administrator's token", "give --admin-token FILE, or set KIST_ADMIN_TOKEN");
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
sealed record NamedKey(string Id, SecretBytes Key) : IDisposable
{
    public void Dispose() => Key.Dispose();
}
