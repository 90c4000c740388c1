using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Linux.Terminals;
using Kist.Pods.Agent;
using Kist.Pods.Protocol;
using Kist.Shim.Events;
using Kist.Shim.Protocol;
using Kist.Ttrpc;

namespace Kist.Shim.Tasks;

/// <summary>containerd's task service, in the versions whose messages are the same.</summary>
internal sealed class TaskService(ShimPod pod)
{
    private static readonly Empty Nothing = new();

    private readonly TaskCompletionSource _shutdown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when containerd needs this shim no more.</summary>
    public Task ShutdownRequested => _shutdown.Task;

    /// <summary>The service under each of its names.</summary>
    public IReadOnlyCollection<TtrpcService> Services => [Service("containerd.task.v2.Task"), Service("containerd.task.v3.Task")];

    private TtrpcService Service(string name)
    {
        var service = new TtrpcService(name);
        Add(service, "Create", CreateTaskRequest.Parser, async (r, token) =>
        {
            await pod.CreateAsync(r, token).ConfigureAwait(false);
            return new CreateTaskResponse { Pid = pod.ProcessId };
        });
        Add(service, "Start", StartRequest.Parser, async (r, token) =>
        {
            await pod.StartAsync(Process(r.Id, r.ExecId), token).ConfigureAwait(false);
            return new StartResponse { Pid = pod.ProcessId };
        });
        Add(service, "Delete", DeleteRequest.Parser, DeleteAsync);
        Add(service, "Exec", ExecProcessRequest.Parser, (r, _) => Done(() => pod.AddExecution(r)));
        Add(service, "State", StateRequest.Parser, (r, _) => Task.FromResult(State(r)));
        Add(service, "Wait", WaitRequest.Parser, async (r, token) =>
        {
            var exit = await Process(r.Id, r.ExecId).Exited.WaitAsync(token).ConfigureAwait(false);
            return new WaitResponse { ExitStatus = exit.Code, ExitedAt = exit.At };
        });
        Add(service, "Kill", KillRequest.Parser, async (r, token) =>
        {
            await pod.KillAsync(Process(r.Id, r.ExecId), (int)r.Signal, r.All, token).ConfigureAwait(false);
            return Nothing;
        });
        Add(service, "Pause", PauseRequest.Parser, async (r, token) => await DoneAsync(pod.PauseAsync(pod.Find(r.Id), true, token)).ConfigureAwait(false));
        Add(service, "Resume", ResumeRequest.Parser, async (r, token) => await DoneAsync(pod.PauseAsync(pod.Find(r.Id), false, token)).ConfigureAwait(false));
        Add(service, "ResizePty", ResizePtyRequest.Parser, async (r, token) =>
            await DoneAsync(pod.ResizeAsync(Process(r.Id, r.ExecId), SizeOf(r), token)).ConfigureAwait(false));
        Add(service, "CloseIO", CloseIORequest.Parser, (r, _) => Done(() =>
        {
            if (r.Stdin)
                Process(r.Id, r.ExecId).Streams?.CloseInput();
        }));
        Add(service, "Update", UpdateTaskRequest.Parser, async (r, token) =>
            await DoneAsync(pod.UpdateAsync(pod.Find(r.Id), r.Resources.Value.Span, token)).ConfigureAwait(false));
        Add(service, "Stats", StatsRequest.Parser, async (r, token) =>
            new StatsResponse { Stats = AnyMessage.Of(await pod.StatsAsync(pod.Find(r.Id), token).ConfigureAwait(false)) });
        Add(service, "Pids", PidsRequest.Parser, (r, _) => Task.FromResult(Pids(r)));
        Add(service, "Connect", ConnectRequest.Parser, (_, _) => Task.FromResult(
            new ConnectResponse { ShimPid = (uint)Environment.ProcessId, TaskPid = pod.ProcessId, Version = "2" }));
        Add(service, "Checkpoint", CheckpointTaskRequest.Parser, Checkpoint);
        Add(service, "Shutdown", ShutdownRequest.Parser, (r, _) => Done(() =>
        {
            if (r.Now || pod.IsEmpty)
                _shutdown.TrySetResult();
        }));
        return service;
    }

    private static void Add<TRequest, TResponse>(
        TtrpcService service, string method, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> => service.Add(method, parser, async (request, cancellationToken) =>
    {
        try
        {
            return await handler(request, cancellationToken).ConfigureAwait(false);
        }
        catch (AgentCallException e)
        {
            throw new TtrpcException(StatusOf(e.Code), e.Message);
        }
        catch (GuestLostException e)
        {
            throw new TtrpcException(TtrpcStatusCode.Unavailable, e.Message);
        }
        catch (Exception e) when (e is (OperationFailedException and not TtrpcException) or MalformedDataException or IOException or UnauthorizedAccessException)
        {
            throw new TtrpcException(TtrpcStatusCode.Unknown, e is OperationFailedException { Hint: { } hint } ? $"{e.Message} ({hint})" : e.Message);
        }
    });

    private static TtrpcStatusCode StatusOf(string code) => code switch
    {
        FailureCode.PolicyDenied or FailureCode.KeyRefused or FailureCode.InitDataRefused or FailureCode.ImageRefused => TtrpcStatusCode.PermissionDenied,
        FailureCode.InvalidRequest => TtrpcStatusCode.InvalidArgument,
        FailureCode.NoSpace => TtrpcStatusCode.ResourceExhausted,
        // Not "not found": containerd would take it for the task.
        _ => TtrpcStatusCode.Unknown,
    };

    private static TerminalSize SizeOf(ResizePtyRequest request) => request is { Height: > 0 and <= ushort.MaxValue, Width: > 0 and <= ushort.MaxValue }
        ? new TerminalSize((int)request.Height, (int)request.Width)
        : throw new TtrpcException(TtrpcStatusCode.InvalidArgument, "rows and columns lie between 1 and 65535");

    private TaskProcess Process(string id, string execId) => pod.Find(id).Find(execId);

    private async Task<DeleteResponse> DeleteAsync(DeleteRequest request, CancellationToken cancellationToken)
    {
        var pid = pod.ProcessId;
        var exit = await pod.DeleteAsync(Process(request.Id, request.ExecId), cancellationToken).ConfigureAwait(false);
        return new DeleteResponse { Pid = pid, ExitStatus = exit.Code, ExitedAt = exit.At };
    }

    private StateResponse State(StateRequest request)
    {
        var process = Process(request.Id, request.ExecId);
        var exit = process.Exited.IsCompletedSuccessfully ? process.Exited.Result : null;
        return new StateResponse
        {
            Id = request.Id,
            ExecId = request.ExecId,
            Bundle = process.Container.Bundle.Path,
            Pid = pod.ProcessId,
            Status = process.Status,
            Stdin = process.Paths.Stdin,
            Stdout = process.Paths.Stdout,
            Stderr = process.Paths.Stderr,
            Terminal = process.Paths.Terminal,
            ExitStatus = exit?.Code ?? 0,
            ExitedAt = exit?.At,
        };
    }

    /// <summary>The guest's processes are the guest's; on the host there is the virtual machine.</summary>
    private PidsResponse Pids(PidsRequest request)
    {
        pod.Find(request.Id);
        return new PidsResponse { Processes = { new ProcessInfo { Pid = pod.ProcessId } } };
    }

    private static Task<Empty> Checkpoint(CheckpointTaskRequest request, CancellationToken cancellationToken) =>
        throw new TtrpcException(TtrpcStatusCode.Unimplemented, "a guest's memory is its own: its state is not given to the host");

    private static Task<Empty> Done(Action action)
    {
        action();
        return Task.FromResult(Nothing);
    }

    private static async Task<Empty> DoneAsync(Task task)
    {
        await task.ConfigureAwait(false);
        return Nothing;
    }
}
