using System.Collections.Concurrent;
using System.Data.Common;

namespace Kist.KeyBroker.Storage;

/// <summary>
/// Commits changes of concurrent callers together: SQLite has one writer, and a commit costs more than most changes, above all
/// where it waits for the disk. Each change is still all or nothing by itself, and its caller is told only once the
/// transaction that it is in has been committed.
/// </summary>
/// <param name="transaction">Runs what it is given in one transaction that has been committed when it returns.</param>
sealed class SqliteGroupCommit(Action<Action<DbConnection>> transaction)
{
    // So that nobody waits long for those who came later.
    private const int MaxChanges = 64;

    private readonly ConcurrentQueue<Change> _waiting = new();
    private int _isScheduled;

    /// <summary>Makes a change in the next transaction.</summary>
    public Task<T> AddAsync<T>(Func<DbConnection, T> write)
    {
        var change = new Change<T>(write);
        _waiting.Enqueue(change);
        Schedule();
        return change.Task;
    }

    // Behind what else waits for a thread: in a busy broker more changes come together in the meantime.
    private void Schedule()
    {
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static group => group.CommitWaiting(), this, preferLocal: false);
    }

    private void CommitWaiting()
    {
        var changes = new List<Change>();
        while (changes.Count < MaxChanges && _waiting.TryDequeue(out var change))
            changes.Add(change);
        try
        {
            transaction(connection => Run(connection, changes));
            changes.ForEach(change => change.Committed());
        }
        catch (Exception e)
        {
            // Nothing of the transaction is there. A change that failed by itself has its own reason.
            changes.ForEach(change => change.RolledBack(e));
        }

        Volatile.Write(ref _isScheduled, 0);
        if (!_waiting.IsEmpty)
            Schedule();
    }

    private static void Run(DbConnection connection, List<Change> changes)
    {
        foreach (var change in changes)
        {
            connection.Execute("SAVEPOINT change");
            // What ends the whole transaction, such as a full disk, makes this throw, and all changes fail.
            if (!change.TryRun(connection))
                connection.Execute("ROLLBACK TO change");
            connection.Execute("RELEASE change");
        }
    }

    /// <summary>A change and its caller's task.</summary>
    private abstract class Change
    {
        /// <summary>Runs it; false if it threw.</summary>
        public abstract bool TryRun(DbConnection connection);

        /// <summary>Tells the caller what <see cref="TryRun"/> found.</summary>
        public abstract void Committed();

        /// <summary>Tells the caller that nothing was changed.</summary>
        public abstract void RolledBack(Exception reason);
    }

    private sealed class Change<T>(Func<DbConnection, T> write) : Change
    {
        // The caller goes on elsewhere: this thread commits.
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _failure;

        public Task<T> Task => _done.Task;

        public override bool TryRun(DbConnection connection)
        {
            try
            {
                _result = write(connection);
                return true;
            }
            catch (Exception e)
            {
                _failure = e;
                return false;
            }
        }

        public override void Committed()
        {
            if (_failure is null)
                _done.SetResult(_result!);
            else
                _done.SetException(_failure);
        }

        public override void RolledBack(Exception reason) => _done.SetException(_failure ?? reason);
    }
}
