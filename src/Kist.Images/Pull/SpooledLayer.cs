using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>
/// A layer that was fetched whole and proven: its digest, and if it is encrypted its HMAC, before anything reads its
/// content. It is stored as it came (encrypted).
/// </summary>
sealed class SpooledLayer : IDisposable
{
    private readonly LayerSpool _spool;
    private readonly PrivateLayerOptions? _secrets;

    private SpooledLayer(LayerSpool spool, Descriptor descriptor, PrivateLayerOptions? secrets)
    {
        _spool = spool;
        Descriptor = descriptor;
        _secrets = secrets;
    }

    public Descriptor Descriptor { get; }

    public bool IsEncrypted => _secrets is not null;

    /// <summary>Fetches and proves a layer.</summary>
    public static async Task<SpooledLayer> FetchAsync(
        IImageSource source, Descriptor layer, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, string directory, SpoolBudget budget,
        Action<long> progress, CancellationToken cancellationToken)
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

        LayerSpool? spool = null;
        try
        {
            spool = LayerSpool.Create(layer.Size, directory, budget);
            var content = await source.OpenBlobAsync(layer, cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
                await Task.Factory.StartNew(() => Copy(content, spool, secrets, options, layer, progress, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            return new SpooledLayer(spool, layer, secrets);
        }
        catch
        {
            secrets?.Dispose();
            spool?.Dispose();
            throw;
        }
    }

    /// <summary>The plain layer, still compressed. It can be read once.</summary>
    public Stream OpenPlain() => new SpoolReader(_spool, Descriptor.Size, _secrets);

    public void Dispose()
    {
        _secrets?.Dispose();
        _spool.Dispose();
    }

    private static void Copy(
        Stream content, LayerSpool spool, PrivateLayerOptions? secrets, PublicLayerOptions? options, Descriptor layer, Action<long> progress,
        CancellationToken cancellationToken)
    {
        if (secrets is null)
        {
            CopyAll(content, spool, progress);
            return;
        }

        using var hmac = LayerCipher.CreateHmac(secrets);
        using var pipe = new HashingPipeStream(content, hmac, cancellationToken);
        long done = 0;
        for (ReadOnlySpan<byte> data; !(data = pipe.ReadInPlace(int.MaxValue)).IsEmpty; progress(done += data.Length))
            spool.Write(data);
        LayerCipher.CheckHmac(pipe.Finish(), options!, layer.Digest.ToString());
    }

    private static void CopyAll(Stream content, LayerSpool spool, Action<long> progress)
    {
        var buffer = new byte[256 * 1024];
        long done = 0;
        for (int count; (count = content.Read(buffer)) > 0; progress(done += count))
            spool.Write(buffer.AsSpan(0, count));
    }
}
