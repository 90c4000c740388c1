using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images;

/// <summary>Fetches the next few layers ahead of the one that is being unpacked.</summary>
sealed class LayerWindow(
    IImageSource source, IReadOnlyList<Descriptor> layers, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, string directory, PullOptions options,
    IProgress<PullProgress>? progress, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly Dictionary<int, Task<SpooledLayer>> _started = [];
    private readonly SpoolBudget _budget = new(options.SpoolMemoryBytes);
    private int _next;

    /// <summary>Waits for a layer, which then is the caller's; layers are taken in order.</summary>
    public Task<SpooledLayer> TakeAsync(int index)
    {
        for (; _next < layers.Count && _next < index + Math.Max(1, options.ParallelLayers); _next++)
            _started[_next] = FetchAsync(_next);
        _started.Remove(index, out var task);
        return task!;
    }

    /// <summary>Waits for what is still running and drops it.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var task in _started.Values)
        {
            try
            {
                (await task.ConfigureAwait(false)).Dispose();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Another layer's error is already on its way; this one was stopped because of it.
            }
        }
    }

    private Task<SpooledLayer> FetchAsync(int index) => SpooledLayer.FetchAsync(
        source, layers[index], unwrappers, directory, _budget,
        done => progress?.Report(new(PullStep.Fetch, index, layers.Count, done, layers[index].Size)), cancellationToken);
}
