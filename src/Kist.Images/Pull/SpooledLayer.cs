using System.Security.Cryptography;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>
/// A layer that was fetched whole and proven: its digest, and if it is encrypted its HMAC, before anything reads its
/// content. It is stored as it came (encrypted) and its file has no name, so nothing is left when the process ends.
/// </summary>
sealed class SpooledLayer : IDisposable
{
    private const int ChunkBytes = 256 * 1024;

    private readonly FileStream _file;
    private readonly PrivateLayerOptions? _secrets;

    private SpooledLayer(FileStream file, Descriptor descriptor, PrivateLayerOptions? secrets)
    {
        _file = file;
        Descriptor = descriptor;
        _secrets = secrets;
    }

    public Descriptor Descriptor { get; }

    public bool IsEncrypted => _secrets is not null;

    /// <summary>Fetches and proves a layer.</summary>
    public static async Task<SpooledLayer> FetchAsync(
        IImageSource source, Descriptor layer, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, string directory, Action<long> progress,
        CancellationToken cancellationToken)
    {
        if (MediaTypes.CompressionOf(layer.MediaType) is null)
            throw new MalformedDataException("image manifest", -1, $"the layer's media type '{layer.MediaType}' is not known");
        PrivateLayerOptions? secrets = null;
        PublicLayerOptions? options = null;
        if (MediaTypes.IsEncrypted(layer.MediaType))
        {
            options = EncryptionAnnotations.ReadPublicOptions(layer);
            secrets = await LayerKeys.UnwrapAsync(layer, unwrappers, cancellationToken).ConfigureAwait(false);
        }

        var file = CreateFile(directory);
        try
        {
            var content = await source.OpenBlobAsync(layer, cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
                await Task.Factory.StartNew(() => Copy(content, file, secrets, options, layer, progress, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            return new SpooledLayer(file, layer, secrets);
        }
        catch
        {
            secrets?.Dispose();
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The plain layer, still compressed. Blocks that were read are given back to the file system; it can be read once.</summary>
    public Stream OpenPlain() => new SpoolReader(_file, Descriptor.Size, _secrets);

    public void Dispose()
    {
        _secrets?.Dispose();
        _file.Dispose();
    }

    private static void Copy(
        Stream content, FileStream file, PrivateLayerOptions? secrets, PublicLayerOptions? options, Descriptor layer, Action<long> progress,
        CancellationToken cancellationToken)
    {
        if (secrets is null)
        {
            CopyAll(content, file, progress);
            return;
        }

        using var hmac = LayerCipher.CreateHmac(secrets);
        using var pipe = new HashingPipeStream(content, hmac, cancellationToken);
        CopyAll(pipe, file, progress);
        LayerCipher.CheckHmac(pipe.Finish(), options!, layer.Digest.ToString());
    }

    private static void CopyAll(Stream content, FileStream file, Action<long> progress)
    {
        var buffer = new byte[ChunkBytes];
        long offset = 0;
        int count;
        while ((count = content.Read(buffer)) > 0)
        {
            try
            {
                RandomAccess.Write(file.SafeFileHandle, buffer.AsSpan(0, count), offset);
            }
            catch (IOException e)
            {
                throw new OperationFailedException("store layer", file.Name, e.Message, "there must be room for the image's compressed layers", inner: e);
            }

            offset += count;
            progress(offset);
        }
    }

    private static FileStream CreateFile(string directory)
    {
        var path = Path.Combine(directory, "layer-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1);
        File.Delete(path);
        return file;
    }
}
