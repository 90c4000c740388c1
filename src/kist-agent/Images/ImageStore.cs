using Kist.Agent.Boot;
using Kist.Images.Sealed;
using Kist.Linux.Files;

namespace Kist.Agent.Images;

/// <summary>
/// The pod's unpacked images by manifest digest. Each is fetched once, however many containers run from it and however
/// often they are restarted; one that no container uses gives way when another is fetched.
/// </summary>
sealed class ImageStore
{
    private static readonly string Root = $"{FileSystems.Work}/images";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private int _next;

    /// <summary>Begins to use an image whose digest is not known yet. Disposing the lease ends the use.</summary>
    public Lease Begin()
    {
        lock (_lock)
            return new Lease(this, $"pull-{_next++}");
    }

    /// <summary>One container's use of one image.</summary>
    public sealed class Lease(ImageStore store, string name) : IDisposable
    {
        private Entry? _entry;
        private bool _fetching;

        /// <summary>A name that no other lease has.</summary>
        public string Name => name;

        /// <summary>Where the image is to be unpacked, if it is not there already.</summary>
        public string Folder => Path.Combine(Root, name);

        /// <summary>
        /// The root file system, if the image is here or on its way; null if the caller is the one to fetch it. Whoever
        /// fetches says with <see cref="Finish"/> that it is here.
        /// </summary>
        public async Task<string?> FindAsync(string digest, CancellationToken cancellationToken)
        {
            while (true)
            {
                Entry entry;
                lock (store._lock)
                {
                    if (!store._entries.TryGetValue(digest, out entry!))
                    {
                        store.EvictUnused();
                        store._entries[digest] = _entry = new Entry(digest, name) { Users = 1 };
                        _fetching = true;
                        return null;
                    }

                    entry.Users++;
                }

                if (await entry.Fetched.Task.WaitAsync(cancellationToken))
                {
                    _entry = entry;
                    return Path.Combine(Root, entry.Folder, "rootfs");
                }
                // The other's fetch failed, and it has left the table: it is our turn.
            }
        }

        /// <summary>The image is a mount, which is undone before its folder goes.</summary>
        public void Hold(SealedMount mount) => _entry!.Mount = mount;

        /// <summary>Blobs of a sealed image whose disks have shown blocks that were not theirs.</summary>
        public IReadOnlyList<string> CorruptedBlobs() => _entry?.Mount?.CorruptedBlobs() ?? [];

        public void Finish()
        {
            _fetching = false;
            _entry?.Fetched.TrySetResult(true);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _entry, null) is not { } entry)
                return;
            lock (store._lock)
            {
                entry.Users--;
                if (!_fetching)
                    return;
                store._entries.Remove(entry.Digest);
            }

            Remove(entry);
            entry.Fetched.TrySetResult(false);
        }
    }

    /// <summary>Makes room, under the lock: memory is what a guest has least of.</summary>
    private void EvictUnused()
    {
        foreach (var entry in _entries.Values.Where(e => e.Users == 0).ToArray())
        {
            _entries.Remove(entry.Digest);
            Remove(entry);
        }
    }

    private static void Remove(Entry entry)
    {
        entry.Mount?.Dispose();
        if (!Directory.Exists(Path.Combine(Root, entry.Folder)))
            return;
        using var parent = DirectoryHandle.Open(Root);
        parent.RemoveTree(System.Text.Encoding.UTF8.GetBytes(entry.Folder));
    }

    private sealed class Entry(string digest, string folder)
    {
        public string Digest => digest;

        public string Folder => folder;

        public int Users { get; set; }

        /// <summary>Null for an image that was unpacked.</summary>
        public SealedMount? Mount { get; set; }

        public TaskCompletionSource<bool> Fetched { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
